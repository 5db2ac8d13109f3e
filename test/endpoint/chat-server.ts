import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';

/** What goes wrong with a request. */
export type Fault = 'busy' | 'error' | 'hang' | 'truncated' | 'schema' | 'reset' | 'drip' | 'html';

/** All of them. */
export const faults: readonly Fault[] = ['busy', 'error', 'hang', 'truncated', 'schema', 'reset', 'drip', 'html'];

/** A request as the server sees it. */
export interface SeenRequest {
  /** How many came before. */
  readonly index: number;
  /** Requests in work, this one included. */
  readonly active: number;
  /** Digest of the image. */
  readonly image: string;
  readonly text: string;
  /** The `Authorization` header. */
  readonly authorization: string | undefined;
}

/** How the server behaves; may be changed while it runs. */
export interface ServerManners {
  /** Fields that it takes; it refuses others by name. */
  takes: readonly ('logprobs' | 'n' | 'seed')[];
  /** Milliseconds that a reply takes. */
  milliseconds: number;
  /** What goes wrong, if anything. */
  fault: (request: SeenRequest) => Fault | undefined;
  /** A status and a text instead of a reply. */
  refuse: (
    request: SeenRequest,
  ) => { readonly status: number; readonly text: string; readonly headers?: Record<string, string> } | undefined;
  /** What is said instead of {@link annotationOf} and {@link answerTo}. */
  say: (request: SeenRequest) => string | undefined;
}

/** A running server. */
export interface ChatServer {
  /** What comes before `/chat/completions`. */
  readonly url: string;
  readonly manners: ServerManners;
  /** All requests so far. */
  readonly seen: SeenRequest[];
  close(): Promise<void>;
}

/** Tokens of a request and of a word, as the server counts them. */
export const TOKENS = { image: 100, word: 1 };

interface Body {
  readonly model: string;
  readonly messages: readonly {
    readonly content: readonly { readonly text?: string; readonly image_url?: { readonly url: string } }[];
  }[];
  readonly logprobs?: boolean;
  readonly n?: number;
}

/** The question and answer that the server gives to an image. */
export function annotationOf(image: string): { readonly question: string; readonly answer: string } {
  return {
    question: `Which number is on picture ${image}?`,
    answer: `number ${Number.parseInt(image.slice(0, 4), 16)}`,
  };
}

/** The digest under which the server knows an image. */
export function digestOf(url: string): string {
  return createHash('sha256').update(url).digest('hex').slice(0, 12);
}

/** A small chat-completions server that answers the same to the same, as slowly and as badly as it is told to. */
export async function startChatServer(manners: Partial<ServerManners> = {}): Promise<ChatServer> {
  const nothing = (): undefined => undefined;
  const all: ServerManners = {
    ...{ takes: ['logprobs', 'n', 'seed'], milliseconds: 0, fault: nothing, refuse: nothing, say: nothing },
    ...manners,
  };
  const seen: SeenRequest[] = [];
  let active = 0;
  const server = createServer((request, response) => {
    active += 1;
    response.once('close', () => (active -= 1));
    void answer(request, response).catch(() => response.destroy());
  });
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = (await json(request)) as Body;
    const content = body.messages[0]!.content;
    const image = digestOf(content.find((part) => part.image_url)!.image_url!.url);
    const text = content.find((part) => part.text !== undefined)!.text!;
    const one = { index: seen.length, active, image, text, authorization: request.headers.authorization };
    seen.push(one);
    await pause(all.milliseconds);
    const refused: ReturnType<ServerManners['refuse']> =
      request.url === '/v1/chat/completions'
        ? (all.refuse(one) ?? untaken(body, all.takes))
        : { status: 404, text: 'no such method' };
    if (refused) {
      response.writeHead(refused.status, { 'content-type': 'application/json', ...refused.headers });
      response.end(JSON.stringify({ error: { message: refused.text } }));
      return;
    }
    await reply(response, JSON.stringify(completion(body, one, all.say(one))), all.fault(one));
  }
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    ...{ url: `http://127.0.0.1:${port}/v1`, manners: all, seen },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function untaken(body: Body, takes: ServerManners['takes']): { status: number; text: string } | undefined {
  const fields = (['logprobs', 'n', 'seed'] as const).filter((field) => field in body && !takes.includes(field));
  return fields.length > 0 ? { status: 400, text: `unsupported fields: ${fields.join(', ')}` } : undefined;
}

function completion(body: Body, { image, text }: SeenRequest, said: string | undefined): object {
  const { question, answer } = annotationOf(image);
  const words = (said ?? (text === question ? answer : `Question: ${question} Answer: ${answer}`)).split(/(?<= )/);
  const content = words.map((token, i) => ({ token, logprob: -0.1 * (i + 1) }));
  const n = body.n ?? 1;
  const choice = {
    message: { role: 'assistant', content: words.join('') },
    finish_reason: 'stop',
    ...(body.logprobs && { logprobs: { content } }),
  };
  return {
    ...{ object: 'chat.completion', model: body.model },
    choices: Array.from({ length: n }, (_, index) => ({ index, ...choice })),
    usage: { prompt_tokens: TOKENS.image, completion_tokens: TOKENS.word * words.length * n },
  };
}

/** Sends a reply, in the way of the fault. */
async function reply(response: ServerResponse, text: string, fault: Fault | undefined): Promise<void> {
  const head = (type = 'application/json'): void => void response.writeHead(200, { 'content-type': type });
  switch (fault) {
    case undefined:
      head();
      response.end(text);
      return;
    case 'busy':
      response.writeHead(429, { 'retry-after': '0' });
      response.end('slow down');
      return;
    case 'error':
      response.writeHead(500);
      response.end('Internal Server Error');
      return;
    case 'hang':
      return;
    case 'truncated':
      head();
      response.end(text.slice(0, text.length / 2));
      return;
    case 'schema':
      head();
      response.end('{"object":"something else"}');
      return;
    case 'html':
      head('text/html');
      response.end('<html><body>a proxy says hello</body></html>');
      return;
    case 'reset':
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': text.length });
      response.write(text.slice(0, text.length / 2), () => response.destroy());
      return;
    case 'drip':
      head();
      for (const byte of text) {
        if (response.destroyed) return;
        response.write(byte);
        await pause(100);
      }
      response.end();
  }
}
