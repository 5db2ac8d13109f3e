import { splitGlob } from './glob.js';
import { fileKind, isShard } from './image-files.js';
import { skipped, type ListedImage } from './listed-image.js';
import type { S3Files } from './s3-files.js';
import { parseS3Uri, s3Uri } from './s3-uri.js';

/**
 * The images and shards of a bucket below a prefix, which is taken as a folder, those that fit a glob, or one object, in the
 * order of their keys. Keys with a part that begins with a dot are left out. Memory: one page of the listing.
 * Throws StorageError when the bucket or the one object cannot be read.
 */
export async function* listS3(files: S3Files, source: string, signal?: AbortSignal): AsyncIterable<ListedImage> {
  const { bucket, key } = parseS3Uri(source);
  const glob = splitGlob(key);
  const kind = fileKind(key);
  if (!glob && (kind === 'image' || isShard(kind))) {
    await files.size(source, signal);
    yield { kind: 'image', path: key.split('/').at(-1)!, uri: source };
    return;
  }
  const folder = (glob?.root ?? key).replace(/\/*$/, '/').replace(/^\/$/, '');
  for await (const { key: found, size } of files.list(s3Uri({ bucket, key: folder }), signal)) {
    const path = found.slice(folder.length);
    const named = fileKind(path);
    if (named !== 'image' && !isShard(named)) continue;
    if (path.split('/').some((part) => part.startsWith('.')) || glob?.fits(path) === false) continue;
    const uri = s3Uri({ bucket, key: found });
    yield size === 0 ? skipped(path, uri, 'empty', '0 bytes') : { kind: 'image', path, uri };
  }
}
