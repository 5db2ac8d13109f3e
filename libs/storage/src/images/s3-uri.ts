import { StorageError } from '../storage-error.js';

/** A bucket, and a key or the beginning of keys in it. */
export interface S3Place {
  readonly bucket: string;
  readonly key: string;
}

/** Reads `s3://BUCKET/KEY`; the key is taken as it is, as other S3 tools do. Throws StorageError `unsupported` without a bucket. */
export function parseS3Uri(uri: string): S3Place {
  const [, bucket, key] = /^s3:\/\/([^/]+)\/?(.*)$/s.exec(uri) ?? [];
  if (bucket === undefined) throw new StorageError('unsupported', `${uri} names no bucket: use s3://BUCKET/PREFIX`);
  return { bucket, key: key ?? '' };
}

/** The URI of an object. */
export function s3Uri({ bucket, key }: S3Place): string {
  return `s3://${bucket}/${key}`;
}
