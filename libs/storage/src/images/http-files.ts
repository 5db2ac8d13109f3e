import pRetry from 'p-retry';
import type { Agent, Dispatcher } from 'undici';
import { StorageError } from '../storage-error.js';
import { systemCode } from '../system-error.js';
import { AddressRule, type AddressRuleOptions } from './address-rule.js';
import type { ByteRange, Files, ReadFileOptions } from './files.js';
import { tooLarge } from './too-large.js';

const MOST_REDIRECTS = 5;
/** Further tries after a failure that may pass, and milliseconds before the first of them; the pauses double and are drawn at random. */
const RETRIES = 3;
const FIRST_PAUSE_MS = 250;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
/** Answers that another try may better. */
const TRANSIENT = new Set([408, 425, 429, 500, 502, 503, 504]);

/** How files are fetched over HTTP. */
export interface HttpFilesOptions extends AddressRuleOptions {
  /** Milliseconds that one read may take, with all its tries. */
  readonly timeoutMs: number;
}

type Answer = Dispatcher.ResponseData;

/**
 * Files of web servers that are allowed. Redirects are followed by the same rule. Reading a range takes a server that knows
 * ranges, unless the file is as small as what is asked for.
 */
export class HttpFiles implements Files {
  readonly #rule: AddressRule;
  #agent: Agent | undefined;

  constructor(private readonly options: HttpFilesOptions) {
    this.#rule = new AddressRule(options);
  }

  /** Throws StorageError `not-allowed` or `unsupported` when the URL would not be read. */
  check(uri: string): void {
    this.#rule.checkUrl(parseUrl(uri));
  }

  async size(uri: string, signal?: AbortSignal): Promise<number> {
    return this.#ask(uri, { first: 0, length: 1 }, signal, async ({ statusCode, headers, body }) => {
      discard(body);
      const told = statusCode === 206 ? String(headers['content-range']).split('/')[1] : headers['content-length'];
      const size = Number(told ?? NaN);
      if (!Number.isSafeInteger(size))
        throw new StorageError('unsupported', `${uri}: the server does not tell its size`);
      return size;
    });
  }

  async read(uri: string, { range, maxBytes, signal }: ReadFileOptions): Promise<Uint8Array> {
    return this.#ask(uri, range, signal, async ({ statusCode, headers, body }) => {
      const told = Number(headers['content-length'] ?? 0);
      const limit = range ? Math.min(range.length, maxBytes) : maxBytes;
      if (range && statusCode !== 206 && (range.first > 0 || told === 0 || told > range.length)) {
        discard(body);
        throw new StorageError('unsupported', `${uri}: the server knows no byte ranges; copy the file to this machine`);
      }
      if (told > limit) {
        discard(body);
        throw tooLarge(uri, told, limit);
      }
      const chunks: Uint8Array[] = [];
      let bytes = 0;
      // Leaving the loop closes the connection.
      for await (const chunk of body as AsyncIterable<Uint8Array>) {
        bytes += chunk.length;
        if (bytes > limit) throw tooLarge(uri, `at least ${bytes}`, limit);
        chunks.push(chunk);
      }
      return Buffer.concat(chunks);
    });
  }

  async #ask<T>(
    uri: string,
    range: ByteRange | undefined,
    signal: AbortSignal | undefined,
    take: (answer: Answer) => Promise<T>,
  ): Promise<T> {
    const late = AbortSignal.timeout(this.options.timeoutMs);
    const either = signal ? AbortSignal.any([signal, late]) : late;
    const once = async (): Promise<T> => {
      try {
        return await take(await this.#follow(parseUrl(uri), range, either));
      } catch (error) {
        throw toHttpError(uri, error);
      }
    };
    try {
      return await pRetry(once, {
        retries: RETRIES,
        minTimeout: FIRST_PAUSE_MS,
        randomize: true,
        signal: either,
        shouldRetry: ({ error }) => error instanceof StorageError && error.code === 'unreachable',
      });
    } catch (error) {
      signal?.throwIfAborted();
      if (!late.aborted) throw error;
      throw new StorageError('timeout', `${uri}: no complete answer within ${this.options.timeoutMs / 1000} s`);
    }
  }

  /** Asks, and where the answer is another address, there. */
  async #follow(start: URL, range: ByteRange | undefined, signal: AbortSignal): Promise<Answer> {
    const undici = await import('undici');
    this.#agent ??= new undici.Agent({ connect: { lookup: this.#rule.lookup, timeout: this.options.timeoutMs } });
    let url = start;
    for (let hop = 0; hop <= MOST_REDIRECTS; hop++) {
      this.#rule.checkUrl(url);
      const headers = {
        'accept-encoding': 'identity',
        ...(range && { range: `bytes=${range.first}-${range.first + range.length - 1}` }),
      };
      const answer = await undici.request(url, { dispatcher: this.#agent, headers, signal });
      if (answer.statusCode === 200 || answer.statusCode === 206) return answer;
      discard(answer.body);
      if (!REDIRECTS.has(answer.statusCode)) throw statusError(start.href, answer.statusCode);
      url = parseUrl(String(answer.headers['location'] ?? ''), url.href);
    }
    throw new StorageError('not-allowed', `${start.href}: more than ${MOST_REDIRECTS} redirects`);
  }
}

/** Closes the connection: what is left of an answer may be anything and as long as it likes. */
function discard(body: Answer['body']): void {
  body.on('error', () => undefined).destroy();
}

/** The URL that a text means, relative to another one if that is given. Throws StorageError `unsupported` where it is none. */
export function parseUrl(uri: string, base?: string): URL {
  if (!URL.canParse(uri, base)) throw new StorageError('unsupported', `${uri} is no URL`);
  return new URL(uri, base);
}

function statusError(uri: string, status: number): StorageError {
  const says = `${uri}: the server answers ${status}`;
  if (status === 404 || status === 410) return new StorageError('not-found', says);
  if (status === 401 || status === 403) return new StorageError('forbidden', says);
  if (status === 416) return new StorageError('corrupt', `${uri}: it is shorter than the shard said`);
  return new StorageError(TRANSIENT.has(status) ? 'unreachable' : 'unreadable', says);
}

function toHttpError(uri: string, error: unknown): Error {
  if (error instanceof StorageError) return error;
  const { name, message, cause } = error as Error;
  if (cause instanceof StorageError) return cause;
  if (name === 'AbortError' || name === 'TimeoutError') return error as Error;
  return new StorageError('unreachable', `${uri}: the server cannot be reached (${message || systemCode(error)})`, {
    cause: error,
  });
}
