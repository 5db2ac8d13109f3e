import { Header, Pax } from 'tar';
import { StorageError } from '../storage-error.js';
import type { FileWindow } from './file-window.js';
import { fileKind } from './image-files.js';
import type { ShardEntry } from './list-shard.js';

const BLOCK = 512;
/** Longest extended header that is read: it holds names. */
const LONGEST_EXTENSION = 2 ** 20;

/**
 * The images of a tar file (ustar, pax, GNU long names), such as a WebDataset shard: members whose names end as images' do,
 * names that begin with a dot left out. Only headers are read; each image is told by its bytes in the file.
 * Throws StorageError `corrupt` where the archive breaks off or contradicts itself; what came before is good.
 */
export async function* listTar(file: FileWindow): AsyncIterable<ShardEntry> {
  let extended: Pick<Pax, 'path' | 'size'> = {};
  let at = 0;
  while (at + BLOCK <= file.size) {
    const header = new Header(Buffer.from(await file.read(at, BLOCK)), 0, extended);
    if (header.nullBlock) return;
    if (!header.cksumValid) throw new StorageError('corrupt', `${file.uri}: no tar header at byte ${at}`);
    const isFile = header.type === 'File' || header.type === 'OldFile' || header.type === 'ContiguousFile';
    const length = header.size ?? 0;
    const first = at + BLOCK;
    at = first + Math.ceil(length / BLOCK) * BLOCK;
    if (header.type === 'ExtendedHeader' || header.type === 'NextFileHasLongPath') {
      extended = { ...extended, ...(await readExtension(file, header.type, first, length)) };
      continue;
    }
    const { path = '' } = header;
    extended = {};
    if (!isFile || fileKind(path) !== 'image' || isHidden(path)) continue;
    if (first + length > file.size) throw new StorageError('corrupt', `${file.uri} ends early, within ${path}`);
    yield { name: path, part: length === 0 ? undefined : { kind: 'bytes', first, length } };
  }
  if (at !== file.size) throw new StorageError('corrupt', `${file.uri} ends early`);
}

async function readExtension(
  file: FileWindow,
  type: 'ExtendedHeader' | 'NextFileHasLongPath',
  first: number,
  length: number,
): Promise<Pick<Pax, 'path' | 'size'>> {
  if (length > LONGEST_EXTENSION)
    throw new StorageError('corrupt', `${file.uri}: an extended header of ${length} bytes`);
  const text = (await file.read(first, length)).toString('utf8');
  if (type === 'NextFileHasLongPath') return { path: text.replace(/\0.*$/s, '') };
  const { path, size } = Pax.parse(text);
  return { ...(path !== undefined && { path }), ...(size !== undefined && { size }) };
}

function isHidden(path: string): boolean {
  return path.split('/').some((part) => part.startsWith('.') && part !== '.');
}
