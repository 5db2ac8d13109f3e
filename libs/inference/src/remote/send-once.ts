import { chatReply, isFiltered, type ChatReply } from './chat-reply.js';

/** Where requests go, and with what key. */
export interface Destination {
  /** The whole URL of the method. */
  readonly url: string;
  /** Without one, none is sent. */
  readonly key: string | undefined;
  /** Seconds for a request, from its first byte to the last of the reply. */
  readonly timeout: number;
}

/**
 * Why there is no reply. `busy`: 429 or 503; `failed`: 408, 409, any other 5xx, no connection, none in time, no reply as it should be: these
 * may pass. `barred`: 401, 403, 404 or a redirection; `refused`: any other 4xx; `filtered`: by the server's filter.
 */
export interface Failure {
  readonly kind: 'busy' | 'failed' | 'barred' | 'refused' | 'filtered';
  /** For people, in one line, without the key. */
  readonly detail: string;
  /** Whether something came that is no reply. */
  readonly unusable?: boolean;
  /** Tokens that it cost all the same. */
  readonly usage?: ChatReply['usage'];
  /** Seconds that the server asks to wait. */
  readonly retryAfter?: number | undefined;
}

/** What became of one HTTP request. */
export type Sent = { readonly reply: ChatReply } | { readonly failure: Failure };

/** Longest reply that is read; one of a thousand tokens with their probabilities has some 100 kB. */
const MAX_BYTES = 16 * 2 ** 20;

/** Shorter keys are no secrets (`EMPTY` is usual for a server of one's own), and may stand in any text. */
const SHORTEST_SECRET = 8;

/** Characters of a server's own words that are shown. */
const SHOWN = 300;

/** Sends one request and reads the reply. Throws the signal's reason; everything else that can happen is a {@link Failure}. */
export async function sendOnce({ url, key, timeout }: Destination, body: string, signal: AbortSignal): Promise<Sent> {
  const hide = hiding(key);
  const late = AbortSignal.timeout(timeout * 1000);
  try {
    const response = await fetch(url, {
      method: 'POST',
      redirect: 'manual',
      headers: { 'content-type': 'application/json', ...(key !== undefined && { authorization: `Bearer ${key}` }) },
      body,
      signal: AbortSignal.any([signal, late]),
    });
    const text = hide(plainly(await readText(response)));
    return response.status === 200 ? read(text, hide) : { failure: failureOf(response, text, hide) };
  } catch (error) {
    signal.throwIfAborted();
    const detail = late.aborted ? `no reply within ${timeout} s` : hide(reasonOf(error));
    return { failure: { kind: 'failed', detail } };
  }
}

/** A text without the key. */
type Hide = (text: string) => string;

function hiding(key: string | undefined): Hide {
  if (key === undefined || key.length < SHORTEST_SECRET) return (text) => text;
  const inJson = JSON.stringify(key).slice(1, -1);
  return (text) => text.replaceAll(key, '***').replaceAll(inJson, '***');
}

/** JSON with no character written as an escape that need not be, so that what is in its texts can be found; any other text as it is. */
function plainly(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text));
  } catch {
    return text;
  }
}

async function readText({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > MAX_BYTES) throw new Error(`the reply is longer than ${MAX_BYTES} bytes`);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function read(text: string, hide: Hide): Sent {
  const unusable = (why: string): Sent => ({
    failure: { kind: 'failed', unusable: true, detail: `${why}: ${shown(text, hide)}` },
  });
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    return unusable('the reply is no JSON');
  }
  const { data: reply } = chatReply.safeParse(raw);
  if (!reply) return unusable('the reply is no chat completion');
  const choices = reply.choices.filter((choice) => !isFiltered(choice)).map((choice) => withoutTelling(choice, hide));
  if (choices.length > 0) return { reply: { ...reply, choices } };
  return { failure: { kind: 'filtered', detail: "the server's filter held the reply back", usage: reply.usage } };
}

/** A choice whose tokens are left out where they make up the key in pieces. */
function withoutTelling(choice: ChatReply['choices'][number], hide: Hide): ChatReply['choices'][number] {
  const said = choice.logprobs?.content?.map(({ token }) => token).join('') ?? '';
  return hide(said) === said ? choice : { ...choice, logprobs: null };
}

function failureOf({ status, headers }: Response, text: string, hide: Hide): Failure {
  const detail = `HTTP ${status}${text.trim() === '' ? '' : `: ${shown(text, hide)}`}`;
  if (status === 429 || status === 503)
    return { kind: 'busy', detail, retryAfter: secondsOf(headers.get('retry-after')) };
  if (status >= 500 || status === 408 || status === 409) {
    return { kind: 'failed', detail, retryAfter: secondsOf(headers.get('retry-after')) };
  }
  if ([401, 403, 404].includes(status) || status < 400) return { kind: 'barred', detail };
  return { kind: /content_filter|content_policy/.test(text) ? 'filtered' : 'refused', detail };
}

/** `Retry-After` is a number of seconds or a date (RFC 9110, 10.2.3). */
function secondsOf(header: string | null): number | undefined {
  if (header === null) return undefined;
  if (/^\s*\d+(\.\d+)?\s*$/.test(header)) return Number(header);
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, (date - Date.now()) / 1000);
}

/** The message of an error object, or the text itself, in one line. */
function shown(text: string, hide: Hide): string {
  const message = /"(?:message|detail|error)"\s*:\s*("(?:[^"\\]|\\.)*")/.exec(text)?.[1];
  const words = message === undefined ? text : (JSON.parse(message) as string);
  return hide(words).replaceAll(/\s+/g, ' ').trim().slice(0, SHOWN).toWellFormed();
}

function reasonOf(error: unknown): string {
  const { message, cause } = error as Error & { cause?: Error & { code?: string } };
  return cause ? `${cause.message || (cause.code ?? message)}` : message;
}
