import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { sendOnce, type Sent } from './send-once.js';

let server: Server | undefined;
afterEach(async () => {
  server?.closeAllConnections();
  server?.close();
});

/** Sends one request to a server that answers so. */
async function sent(answer: RequestListener, key?: string): Promise<Sent> {
  server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const destination = { url: `http://127.0.0.1:${port}/v1/chat/completions`, key, timeout: 30 };
  return sendOnce(destination, '{}', new AbortController().signal);
}

const says =
  (status: number, body: unknown, headers = {}): RequestListener =>
  (_, response) => {
    response.writeHead(status, headers);
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };

const choice = (content: unknown, more = {}): object => ({ message: { content }, finish_reason: 'stop', ...more });

describe('sendOnce', () => {
  it('reads a text, also in parts, and none', async () => {
    const parts = [
      { type: 'text', text: 'a ' },
      { type: 'text', text: 'cat' },
    ];
    const { reply } = (await sent(says(200, { choices: [choice('a cat'), choice(parts), choice(null)] }))) as { reply: { choices: { message: { content: string } }[] } }; // prettier-ignore
    expect(reply.choices.map(({ message }) => message.content)).toEqual(['a cat', 'a cat', '']);
  });

  it('leaves out texts that the server held back, and tells what they cost when all were', async () => {
    const held = [choice('', { finish_reason: 'content_filter' }), { message: { content: null, refusal: 'I cannot' } }];
    expect(await sent(says(200, { choices: [choice('yes'), ...held] }))).toMatchObject({
      reply: { choices: [{ message: { content: 'yes' } }] },
    });
    const usage = { prompt_tokens: 7, completion_tokens: 0 };
    expect(await sent(says(200, { choices: held, usage }))).toMatchObject({ failure: { kind: 'filtered', usage } });
  });

  it.each([
    [429, 'busy'],
    [503, 'busy'],
    [408, 'failed'],
    [409, 'failed'],
    [500, 'failed'],
    [529, 'failed'],
    [401, 'barred'],
    [403, 'barred'],
    [404, 'barred'],
    [308, 'barred'],
    [400, 'refused'],
    [422, 'refused'],
  ])('knows what %i means', async (status, kind) => {
    const detail = `HTTP ${status}: in two lines`;
    expect(await sent(says(status, { error: { message: 'in\n two lines' } }))).toMatchObject({
      failure: { kind, detail },
    });
  });

  it('obeys a number of seconds and a date', async () => {
    expect(await sent(says(429, '', { 'retry-after': '7' }))).toMatchObject({ failure: { retryAfter: 7 } });
    const date = new Date(Date.now() + 3_600_000).toUTCString();
    const { failure } = (await sent(says(503, '', { 'retry-after': date }))) as { failure: { retryAfter: number } };
    // An hour, less what the test took and the part of a second that a date leaves out.
    expect(failure.retryAfter).toBeGreaterThan(3500);
    expect(failure.retryAfter).toBeLessThanOrEqual(3600);
  });

  it('shows the key to the server alone; one that is none may stand in a text', async () => {
    const echo: RequestListener = ({ headers }, response) => says(500, headers.authorization)({} as never, response); // prettier-ignore
    expect(await sent(echo, 'sk-12345678')).toMatchObject({ failure: { detail: 'HTTP 500: Bearer ***' } });
    expect(await sent(says(200, { choices: [choice('EMPTY box')] }), 'EMPTY')).toMatchObject({
      reply: { choices: [{ message: { content: 'EMPTY box' } }] },
    });
  });

  it('keeps a key out of texts that is sent back in escapes, or in pieces', async () => {
    const key = 'sk-12345678';
    const escaped = [...key].map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');
    const texts = {
      answer: [200, `{"choices": [{"message": {"content": "it is ${escaped}"}}]}`],
      error: [401, `{"error": {"message": "wrong: ${escaped}"}}`],
      other: [401, `{"wrong ${escaped}": "${escaped}"}`],
      stream: [401, `data: {"error": {"message": "${escaped}"}} {`],
      odd: [200, `["${escaped}"]`],
    } as const;
    for (const [status, text] of Object.values(texts)) {
      const got = JSON.stringify(await sent(says(status, text), key));
      expect(got).toContain('***');
      expect(got).not.toContain(key);
      expect(got).not.toContain(escaped.slice(1));
      server?.close();
    }
    const pieces = ['it is ', 'sk-123', '45678'].map((token) => ({ token, logprob: -1 }));
    const said = [choice('a', { logprobs: { content: pieces } }), choice('b', { logprobs: { content: [pieces[0]] } })];
    const { reply } = (await sent(says(200, { choices: said }), key)) as { reply: { choices: { logprobs: unknown }[] } }; // prettier-ignore
    expect(reply.choices.map(({ logprobs }) => logprobs)).toEqual([null, { content: [pieces[0]] }]);
  });

  it('tells of a server that is not there', async () => {
    const free = createServer().listen(0, '127.0.0.1');
    await once(free, 'listening');
    const { port } = free.address() as AddressInfo;
    free.close();
    await once(free, 'close');
    const gone = { url: `http://127.0.0.1:${port}/v1/chat/completions`, key: undefined, timeout: 30 };
    const answer = await sendOnce(gone, '{}', new AbortController().signal);
    expect(answer).toMatchObject({
      failure: { kind: 'failed', detail: expect.stringContaining('ECONNREFUSED') as string },
    });
  });
});
