import { braceExpand } from 'minimatch';
import { localPath } from '../local-path.js';
import { isRemote, type Roots } from '../roots.js';
import { StorageError } from '../storage-error.js';
import type { Files } from './files.js';
import { HttpFiles } from './http-files.js';
import { fileKind, IMAGE_EXTENSIONS, isShard } from './image-files.js';
import { parseImageUri } from './image-uri.js';
import { listFolder } from './list-folder.js';
import { listReferences } from './list-references.js';
import { listS3 } from './list-s3.js';
import { listShard } from './list-shard.js';
import type { ListedImage } from './listed-image.js';
import { localFiles } from './local-files.js';
import { ParquetImages } from './parquet-images.js';
import { References } from './references.js';
import { S3Files } from './s3-files.js';
import { tooLarge } from './too-large.js';

/** What images may be taken from, and how large and slow they may be. */
export interface ImageStoreOptions {
  /** Web servers that may be asked: `HOST`, `HOST:PORT`, `*.DOMAIN`. None by default. */
  readonly allowHosts?: readonly string[];
  /** Networks (CIDR) that these servers may be in although they are not public. None by default. */
  readonly privateNetworks?: readonly string[];
  /** So long one read may take, with all its tries. Default 60. */
  readonly timeoutSeconds?: number;
  /** Largest image file. Default 256. */
  readonly maxMegabytes?: number;
  /** Folders and `s3://BUCKET/PREFIX` that lists may name images in, beside their own folder. */
  readonly imageRoots?: readonly string[];
  /** Below which files and objects lie that may be read; all may if left out. */
  readonly roots?: Roots | undefined;
}

const MEGABYTE = 2 ** 20;

/** Images where they live: on this machine, in S3, on web servers; as files, in tar, Arrow and Parquet shards. */
export class ImageStore {
  readonly #http: HttpFiles;
  readonly #s3: S3Files;
  readonly #parquet = new ParquetImages((uri) => this.#filesOf(uri));
  readonly #maxBytes: number;
  readonly #imageRoots: readonly string[];
  readonly #roots: Roots | undefined;

  /** Connects to nothing yet. Throws StorageError `unsupported` for a network that is no CIDR. */
  constructor(options: ImageStoreOptions = {}) {
    const { allowHosts = [], privateNetworks = [], timeoutSeconds = 60, maxMegabytes = 256 } = options;
    const timeoutMs = timeoutSeconds * 1000;
    this.#http = new HttpFiles({ allowHosts, privateNetworks, timeoutMs });
    this.#s3 = new S3Files(timeoutMs);
    this.#maxBytes = maxMegabytes * MEGABYTE;
    this.#imageRoots = options.imageRoots ?? [];
    this.#roots = options.roots;
  }

  /**
   * The bytes of the image at a URI that `list` gave, or at a path. Throws StorageError; `retriable` when the way to all
   * images of the place is at fault, `not-allowed` when it is in no place that may be read.
   */
  async read(uri: string, { signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<Uint8Array> {
    await this.check(uri);
    const { file, part } = parseImageUri(uri);
    if (part?.kind === 'row') return this.#withinLimit(uri, await this.#parquet.read(file, part));
    const bytes = await this.#filesOf(file).read(file, { range: part, maxBytes: this.#maxBytes, signal });
    if (part && bytes.length < part.length) throw new StorageError('corrupt', `${uri}: the shard is shorter by now`);
    return bytes;
  }

  /**
   * The images of a source, as they are asked for, in a fixed order: a folder (with all below it), a glob, one file, a list of
   * references (`.txt`, `.jsonl`); each of them on this machine, below `s3://` or at `https://`, where there are no folders.
   * Shards (`.tar`, `.arrow`, `.parquet`) give the images inside. What cannot be used comes as a skip with a reason.
   * The same path may come again, where a list names it twice.
   *
   * Memory does not grow with the number of images, but for the names in one folder of this machine.
   * @throws StorageError when the source itself cannot be reached, `no-images` (at the end, when no image came)
   */
  async *list(source: string, { signal }: { readonly signal?: AbortSignal } = {}): AsyncIterable<ListedImage> {
    let images = 0;
    let skips = 0;
    let firstSkip = '';
    for await (const entry of this.#expanded(source, signal)) {
      if (entry.kind === 'image') images += 1;
      else if (++skips === 1) firstSkip = entry.detail;
      yield entry;
    }
    if (images > 0) return;
    const also = skips > 0 ? ` (${skips} entries cannot be used; the first: ${firstSkip})` : '';
    throw new StorageError('no-images', `no images in ${source}${also}: looked for ${[...IMAGE_EXTENSIONS].join(' ')}`);
  }

  /** Entries of the source, with those of shards in the shards' place. */
  async *#expanded(source: string, signal: AbortSignal | undefined): AsyncIterable<ListedImage> {
    for await (const entry of this.#entries(source, signal)) {
      const { file, part } = parseImageUri(entry.uri);
      const kind = fileKind(pathIn(file));
      if (entry.kind === 'skipped' || part || !isShard(kind)) yield entry;
      else yield* listShard(file, entry.path, kind, { files: this.#filesOf(file), parquet: this.#parquet, signal });
    }
  }

  async *#entries(source: string, signal: AbortSignal | undefined): AsyncIterable<ListedImage> {
    const kind = fileKind(pathIn(source));
    if (kind === 'txt' || kind === 'jsonl') {
      const list = isRemote(source) ? source : localPath(source);
      const references = await References.of(list, this.#imageRoots, this.#http);
      yield* listReferences(list, kind, { files: this.#filesOf(list), references, signal });
    } else if (/^https?:/i.test(source)) {
      for (const each of braceExpand(source)) {
        this.#http.check(each);
        const { href, host, pathname, search } = new URL(each);
        yield { kind: 'image', path: `${host}${pathname}${search}`, uri: href };
      }
    } else if (isRemote(source)) yield* listS3(this.#s3, source, signal);
    else yield* listFolder(localPath(source), signal);
  }

  /** Throws StorageError `not-allowed` for a URI or path that may not be read; asks no server. */
  async check(uri: string): Promise<void> {
    const { file } = parseImageUri(uri);
    if (this.#filesOf(file) === this.#http) return this.#http.check(file);
    if (!this.#roots || (await this.#roots.hold(file))) return;
    throw new StorageError('not-allowed', `${file} is in no place that may be read; add its folder to places.read`);
  }

  #withinLimit(uri: string, bytes: Uint8Array): Uint8Array {
    if (bytes.length > this.#maxBytes) throw tooLarge(uri, bytes.length, this.#maxBytes);
    return bytes;
  }

  #filesOf(uri: string): Files {
    if (/^https?:/i.test(uri)) return this.#http;
    return isRemote(uri) ? this.#s3 : localFiles;
  }
}

/** A URL's path, without what comes after it; other places as they are. */
function pathIn(place: string): string {
  return /^https?:/i.test(place) && URL.canParse(place) ? new URL(place).pathname : place;
}
