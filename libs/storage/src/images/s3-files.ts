import type { GetObjectCommandOutput, S3Client } from '@aws-sdk/client-s3';
import { StorageError } from '../storage-error.js';
import { systemCode } from '../system-error.js';
import type { Files, ReadFileOptions } from './files.js';
import { parseS3Uri, type S3Place } from './s3-uri.js';
import { tooLarge } from './too-large.js';

/** Tries of one request; the SDK waits between them with growing, random pauses. */
const ATTEMPTS = 4;
/** Milliseconds until a connection is given up. */
const CONNECT_MS = 10_000;

type Sdk = typeof import('@aws-sdk/client-s3');

/**
 * Objects of Amazon S3 or any service that speaks its protocol. Endpoint, region and credentials are those of the usual AWS
 * environment and configuration files. Buckets are named in the path, which every such service understands.
 */
export class S3Files implements Files {
  #client: Promise<{ readonly sdk: Sdk; readonly client: S3Client }> | undefined;

  /** @param timeoutMs milliseconds that one read may take, with all its tries */
  constructor(private readonly timeoutMs: number) {}

  async size(uri: string, signal?: AbortSignal): Promise<number> {
    return this.#ask(uri, signal, async ({ sdk, client }, { bucket, key }, abortSignal) => {
      const command = new sdk.HeadObjectCommand({ Bucket: bucket, Key: key });
      return (await client.send(command, { abortSignal })).ContentLength ?? 0;
    });
  }

  async read(uri: string, { range, maxBytes, signal }: ReadFileOptions): Promise<Uint8Array> {
    return this.#ask(uri, signal, async ({ sdk, client }, { bucket, key }, abortSignal) => {
      const Range = range && `bytes=${range.first}-${range.first + range.length - 1}`;
      const command = new sdk.GetObjectCommand({ Bucket: bucket, Key: key, ...(Range !== undefined && { Range }) });
      const answer = await client.send(command, { abortSignal });
      return bodyOf(answer, uri, maxBytes);
    });
  }

  /** Keys that begin with the URI's, with their sizes, in the order of their bytes; a page of at most 1,000 is asked for when the one before is used up. */
  async *list(uri: string, signal?: AbortSignal): AsyncIterable<{ readonly key: string; readonly size: number }> {
    let token: string | undefined;
    do {
      const page = await this.#ask(uri, signal, ({ sdk, client }, { bucket, key }, abortSignal) =>
        client.send(new sdk.ListObjectsV2Command({ Bucket: bucket, Prefix: key, ContinuationToken: token }), {
          abortSignal,
        }),
      );
      for (const { Key, Size } of page.Contents ?? []) yield { key: Key!, size: Size ?? 0 };
      token = page.IsTruncated ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
  }

  async #ask<T>(
    uri: string,
    signal: AbortSignal | undefined,
    request: (connection: { sdk: Sdk; client: S3Client }, place: S3Place, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const place = parseS3Uri(uri);
    const connection = await (this.#client ??= connect());
    const late = AbortSignal.timeout(this.timeoutMs);
    try {
      return await request(connection, place, signal ? AbortSignal.any([signal, late]) : late);
    } catch (error) {
      signal?.throwIfAborted();
      if (late.aborted) throw new StorageError('timeout', `${uri}: no answer within ${this.timeoutMs / 1000} s`);
      throw toS3Error(uri, error);
    }
  }
}

/** The SDK is loaded when the first object is asked for: it takes longer to load than most commands take. */
async function connect(): Promise<{ sdk: Sdk; client: S3Client }> {
  // Our own floor is Node 20; the SDK's note on it would come between a command's lines.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
  const sdk = await import('@aws-sdk/client-s3');
  const client = new sdk.S3Client({
    forcePathStyle: true,
    followRegionRedirects: true,
    maxAttempts: ATTEMPTS,
    requestHandler: { connectionTimeout: CONNECT_MS },
  });
  return { sdk, client };
}

async function bodyOf(
  { Body, ContentLength }: GetObjectCommandOutput,
  uri: string,
  maxBytes: number,
): Promise<Uint8Array> {
  const body = Body as AsyncIterable<Uint8Array> & { destroy(): void };
  if ((ContentLength ?? 0) > maxBytes) {
    body.destroy();
    throw tooLarge(uri, ContentLength!, maxBytes);
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  // Leaving the loop closes the connection.
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw tooLarge(uri, `at least ${bytes}`, maxBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Names under which services refuse a key pair or its signature, whatever is asked for. */
const BAD_CREDENTIALS = new Set(
  'CredentialsProviderError InvalidAccessKeyId SignatureDoesNotMatch ExpiredToken InvalidToken TokenRefreshRequired'.split(
    ' ',
  ),
);

function toS3Error(uri: string, error: unknown): StorageError {
  if (error instanceof StorageError) return error;
  const { name, message } = error as Error;
  const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode ?? 0;
  const says = `${name === 'Error' ? '' : `${name}: `}${message || systemCode(error)}`;
  const failed = (code: StorageError['code'], words: string): StorageError =>
    // Without the SDK's error as cause: it holds the connection.
    new StorageError(code, `${uri}: ${words}`, {
      retriable: code === 'unreachable' || code === 'credentials',
    });
  if (name === 'CredentialsProviderError') {
    return failed('credentials', `no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE`);
  }
  if (message === 'Region is missing') return failed('credentials', 'no AWS region: set AWS_REGION');
  if (BAD_CREDENTIALS.has(name)) return failed('credentials', `the credentials are refused (${says})`);
  if (status === 404) return failed('not-found', 'there is no such bucket or object');
  if (status === 401 || status === 403) return failed('forbidden', `access denied (${says})`);
  if (status === 416) return failed('corrupt', 'it is shorter than the shard said');
  if (status >= 400 && status < 500) return failed('unreadable', says);
  return failed('unreachable', `the endpoint cannot be reached (${says})`);
}
