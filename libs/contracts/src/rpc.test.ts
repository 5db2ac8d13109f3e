import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from 'vitest';
import { createClient } from './client.js';
import type { Client } from './client.js';
import { ModelService } from './gen/mpa/v1/model_pb.js';
import { WorkerService } from './gen/mpa/v1/worker_pb.js';
import { MAX_MESSAGE_BYTES, messageLimits } from './limits.js';
import { RpcError } from './rpc-error.js';
import { implement } from './server.js';
import type { Handlers, ImplementOptions } from './server.js';

const closing: (() => void)[] = [];
afterEach(() => closing.splice(0).forEach((close) => close()));

async function serve(
  handlers: { model?: Partial<Handlers<typeof ModelService>>; worker?: Handlers<typeof WorkerService> },
  options: ImplementOptions = {},
): Promise<string> {
  const server = new Server(messageLimits);
  const missing = () => Promise.reject(new RpcError('UNIMPLEMENTED', 'not in this test'));
  const model = implement(ModelService, { answer: missing, score: missing, ...handlers.model }, options);
  server.addService(model.definition, model.handlers);
  if (handlers.worker) {
    const worker = implement(WorkerService, handlers.worker, options);
    server.addService(worker.definition, worker.handlers);
  }
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  closing.push(() => server.forceShutdown());
  return `127.0.0.1:${port}`;
}

function modelAt(address: string, timeoutMs?: number): Client<typeof ModelService> {
  const client = createClient(ModelService, address, timeoutMs === undefined ? {} : { timeoutMs });
  closing.push(() => client.close());
  return client;
}

/** What others wrote, cut in the middle of an emoji: no URI can hold it, and a status is sent as one. */
const CUT = 'unknown image \ud83d';

function workerAt(address: string): Client<typeof WorkerService> {
  const client = createClient(WorkerService, address);
  closing.push(() => client.close());
  return client;
}

describe('whoever counts calls', () => {
  it('is told of each one, and how it ended', async () => {
    const told: string[] = [];
    const onCall: ImplementOptions['onCall'] = ({ path }) => {
      told.push(path);
      return (code) => void told.push(`${path} ${code}`);
    };
    const answer = async ({ questions }: { questions: string[] }): Promise<object> => {
      if (questions.length === 0) throw new RpcError('INVALID_ARGUMENT', 'no questions');
      return {};
    };
    async function* consume(): AsyncGenerator<object> {
      yield {};
    }
    const address = await serve({ model: { answer }, worker: { consume } }, { onCall });
    await modelAt(address).answer({ questions: ['a?'] });
    await expect(modelAt(address).answer({})).rejects.toThrow('no questions');
    for await (const message of workerAt(address).consume({})) void message;
    const [unary, stream] = ['/mpa.v1.ModelService/Answer', '/mpa.v1.WorkerService/Consume'];
    expect(told).toEqual([unary, `${unary} OK`, unary, `${unary} INVALID_ARGUMENT`, stream, `${stream} OK`]);
  });
});

describe('a unary call', () => {
  it('carries typed messages and headers both ways', async () => {
    const address = await serve({
      model: {
        answer: async ({ questions }, { headers }) => ({
          answers: questions.map((text) => ({ text: `${text} ${headers['run']}`, logProbability: -0.5 })),
        }),
      },
    });
    const { answers } = await modelAt(address).answer({ questions: ['a?', 'b?'] }, { headers: { run: 'r1' } });
    expect(answers.map(({ text, logProbability }) => [text, logProbability])).toEqual([
      ['a? r1', -0.5],
      ['b? r1', -0.5],
    ]);
  });

  it('fails with the code and message that the handler threw', async () => {
    const answer = () => Promise.reject(new RpcError('INVALID_ARGUMENT', 'no image'));
    const error = await modelAt(await serve({ model: { answer } }))
      .answer({})
      .catch((e: unknown) => e);
    expect(error).toBeInstanceOf(RpcError);
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', message: 'no image', retriable: false });
  });

  it('fails with that code also where the message holds half a character, and the next one is answered', async () => {
    const answer: Handlers<typeof ModelService>['answer'] = async ({ questions }) => {
      if (questions.length === 0) throw new RpcError('INVALID_ARGUMENT', CUT);
      return {};
    };
    const client = modelAt(await serve({ model: { answer } }));
    await expect(client.answer({})).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: 'unknown image \ufffd',
    });
    await client.answer({ questions: ['a?'] });
  });

  it('keeps the text of an unexpected error on the server', async () => {
    const seen: RpcError[] = [];
    const answer = () => Promise.reject(new TypeError('secret path /etc/x'));
    const address = await serve({ model: { answer } }, { onError: (_, error) => seen.push(error) });
    await expect(modelAt(address).answer({})).rejects.toMatchObject({
      code: 'INTERNAL',
      message: expect.not.stringContaining('secret') as string,
    });
    expect(seen[0]?.cause).toBeInstanceOf(TypeError);
  });

  it('gives errors of other packages the code that convert names', async () => {
    const answer = () => Promise.reject(new RangeError('too long'));
    const convert = (error: unknown) =>
      error instanceof RangeError ? new RpcError('OUT_OF_RANGE', error.message) : undefined;
    await expect(modelAt(await serve({ model: { answer } }, { convert })).answer({})).rejects.toMatchObject({
      code: 'OUT_OF_RANGE',
    });
  });

  it('has a deadline without being asked, and the handler hears of it', async () => {
    let aborted = false;
    const answer: Handlers<typeof ModelService>['answer'] = (_, { signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          aborted = true;
          reject(new Error('given up'));
        });
      });
    const client = modelAt(await serve({ model: { answer } }), 1_000);
    await expect(client.answer({})).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED', retriable: true });
    await expect.poll(() => aborted).toBe(true);
  });

  it('is cancelled by its signal', async () => {
    const client = modelAt(await serve({ model: { answer: () => new Promise(() => {}) } }));
    const controller = new AbortController();
    const call = client.answer({}, { signal: controller.signal });
    controller.abort();
    await expect(call).rejects.toMatchObject({ code: 'CANCELLED' });
    await expect(client.answer({}, { signal: controller.signal })).rejects.toMatchObject({ code: 'CANCELLED' });
  });

  it('is tried again while the server is unavailable', async () => {
    let calls = 0;
    const answer = async () => {
      calls += 1;
      if (calls < 3) throw new RpcError('UNAVAILABLE', 'starting');
      return {};
    };
    await modelAt(await serve({ model: { answer } })).answer({});
    expect(calls).toBe(3);
  });

  it('is UNAVAILABLE when there is no server', async () => {
    const address = await serve({});
    closing.splice(0).forEach((close) => close());
    await expect(modelAt(address).answer({})).rejects.toMatchObject({ code: 'UNAVAILABLE', retriable: true });
  });

  it('refuses a message over the limit, on either side', async () => {
    const client = modelAt(await serve({ model: { answer: async () => ({}) } }));
    const data = new Uint8Array(MAX_MESSAGE_BYTES + 1);
    const call = client.answer({ image: { source: { case: 'data', value: data } } });
    await expect(call).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
  });
});

/** A way to a server that can be cut: what is sent is lost without a word, and nobody connects any more. */
async function cable(to: string): Promise<{ readonly address: string; cut(): void }> {
  const sockets: Socket[] = [];
  const server = createServer((near) => {
    const far = connect(Number(to.split(':')[1]), '127.0.0.1');
    sockets.push(near, far);
    near.pipe(far).pipe(near);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => sockets.forEach((socket) => socket.destroy()));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut() {
      server.close();
      for (const socket of sockets) socket.unpipe().pause();
    },
  };
}

describe('a server stream', () => {
  it('is UNAVAILABLE when the server is lost without a word', async () => {
    const consume: Handlers<typeof WorkerService>['consume'] = async function* (_, { signal }) {
      yield { seconds: 1 };
      await delay(600_000, undefined, { signal });
    };
    const { address, cut } = await cable(await serve({ worker: { consume } }));
    const client = createClient(WorkerService, address, { lostAfterMs: 1_000 });
    closing.push(() => client.close());
    const reading = client.consume({})[Symbol.asyncIterator]();
    await reading.next();
    cut();
    await expect(reading.next()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('does not run ahead of a slow reader, and ends when the reader leaves', async () => {
    let produced = 0;
    let ended = false;
    const big = { ['x'.repeat(100_000)]: 1 };
    const consume: Handlers<typeof WorkerService>['consume'] = async function* () {
      try {
        for (; produced < 1000; produced++) yield { outcomes: big };
      } finally {
        ended = true;
      }
    };
    let read = 0;
    for await (const { outcomes } of workerAt(await serve({ worker: { consume } })).consume({ streams: 's' })) {
      expect(Object.values(outcomes)).toEqual([1]);
      if (++read === 1) await delay(300);
      if (read === 3) break;
    }
    expect(produced).toBeLessThan(200);
    await expect.poll(() => ended).toBe(true);
  });

  it('delivers everything, then the error of the handler', async () => {
    const consume: Handlers<typeof WorkerService>['consume'] = async function* () {
      yield { seconds: 1 };
      yield { seconds: 2 };
      throw new RpcError('FAILED_PRECONDITION', 'no such log');
    };
    const seen: number[] = [];
    const read = async (): Promise<void> => {
      const address = await serve({ worker: { consume } });
      for await (const { seconds } of workerAt(address).consume({})) seen.push(seconds);
    };
    await expect(read()).rejects.toMatchObject({ code: 'FAILED_PRECONDITION', message: 'no such log' });
    expect(seen).toEqual([1, 2]);
  });

  it('ends with its error also where the message holds half a character', async () => {
    const consume: Handlers<typeof WorkerService>['consume'] = async function* ({ streams }) {
      yield { seconds: 1 };
      if (streams === '') throw new RpcError('INVALID_ARGUMENT', CUT);
    };
    const client = workerAt(await serve({ worker: { consume } }));
    const read = async (streams: string): Promise<void> => {
      for await (const message of client.consume({ streams })) void message;
    };
    await expect(read('')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', message: 'unknown image \ufffd' });
    await read('s');
  });
});
