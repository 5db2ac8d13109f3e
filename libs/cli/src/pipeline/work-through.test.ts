import { implement, RpcError, WorkerService } from '@mpa/contracts';
import { createLogger, startService, type RunningService, type Service } from '@mpa/service-kit';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { workThrough } from './work-through.js';
import { Workers } from './workers.js';

const logger = createLogger('test', 'silent');
const config = z.strictObject({ failure: z.string().optional() });
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** The workers that were called, by address, in the order of the calls. */
let calls: string[] = [];

/** A process that works until it stops or its caller hangs up, or fails at once with `failure`. */
async function startWorker(listen: string, failure?: string): Promise<RunningService> {
  const service: Service<typeof config> = {
    name: 'worker',
    config,
    start: async ({ failure: message }, { stopping, implementOptions }) => ({
      implementations: [
        implement(
          WorkerService,
          {
            async *consume(_request, { signal }) {
              calls.push(listen.split(':')[0]!);
              if (message !== undefined) throw new RpcError('FAILED_PRECONDITION', message);
              yield { outcomes: { done: 1 } };
              const ending = AbortSignal.any([signal, stopping]);
              await new Promise((resolve) => ending.addEventListener('abort', resolve, { once: true }));
              if (stopping.aborted) throw new RpcError('UNAVAILABLE', 'the service is stopping; ask another one');
            },
          },
          implementOptions,
        ),
      ],
      close: async () => undefined,
    }),
  };
  const running = await startService(service, { listen, failure }, { logger });
  closing.push(() => running.stop());
  return running;
}

/** Works on nothing with the workers behind a name, until `end`; `hosts` is what the name leads to. */
function workOn(port: string, hosts: string[]): { notes: string[]; end: () => void; ended: Promise<void> } {
  calls = [];
  const notes: string[] = [];
  let isDone = false;
  const lookUp = async (): Promise<string[]> => {
    if (hosts.length === 0) throw new Error('ENOTFOUND');
    return [...hosts];
  };
  const workers = new Workers([`dns:///annotator:${port}`], undefined, lookUp);
  closing.push(() => workers.close());
  const progress = { note: (text: string) => void notes.push(text) };
  const context = { signal: new AbortController().signal, progress, patienceSeconds: 600 };
  const ended = workThrough(workers, 'place', async () => isDone, context);
  ended.catch(() => undefined);
  return { notes, end: () => (isDone = true), ended };
}

const portOf = ({ address }: RunningService): string => address.split(':').at(-1)!;

describe('workers behind a name', () => {
  it('are waited for, called as they come, and called again when they come back', async () => {
    const first = await startWorker('127.0.0.2:0');
    const hosts: string[] = [];
    const { notes, end, ended } = workOn(portOf(first), hosts);
    await expect
      .poll(() => notes)
      .toEqual([expect.stringMatching(/no worker at dns:\/\/\/annotator:\d+ yet: waiting/)]);
    hosts.push('127.0.0.2');
    await expect.poll(() => calls).toEqual(['127.0.0.2']);

    await startWorker(`127.0.0.3:${portOf(first)}`);
    hosts.push('127.0.0.3');
    await expect.poll(() => calls).toEqual(['127.0.0.2', '127.0.0.3']);

    hosts.shift();
    await first.stop();
    await expect.poll(() => notes.at(-1)).toMatch(/the worker at 127\.0\.0\.2:\d+ is gone .*; 1 go on/);
    await startWorker(`127.0.0.2:${portOf(first)}`);
    hosts.push('127.0.0.2');
    await expect.poll(() => calls).toEqual(['127.0.0.2', '127.0.0.3', '127.0.0.2']);
    end();
    await ended;
  });

  it('leave their work to the others when they fail, and end it when all have failed', async () => {
    const broken = await startWorker('127.0.0.2:0', 'the budget is used up');
    const sound = await startWorker(`127.0.0.3:${portOf(broken)}`);
    const hosts = ['127.0.0.2', '127.0.0.3'];
    const { notes, ended } = workOn(portOf(broken), hosts);
    await expect
      .poll(() => notes)
      .toEqual([expect.stringMatching(/127\.0\.0\.2:\d+ has failed \(the budget is used up\)/)]);
    hosts.pop();
    await sound.stop();
    await expect(ended).rejects.toThrow('the budget is used up');
    expect(calls.toSorted()).toEqual(['127.0.0.2', '127.0.0.3']);
  });

  it('are all addresses that the system knows', async () => {
    const workers = new Workers(['dns:///localhost:50051', '127.0.0.9:50051', 'dns:///no-such-host.invalid:50051']);
    closing.push(() => workers.close());
    const found = (await workers.look()).map(({ address }) => address);
    expect(found).toContain('127.0.0.1:50051');
    expect(found).toContain('127.0.0.9:50051');
    expect(found.every((address) => /^(127\.0\.0\.[19]|\[::1\]):50051$/.test(address))).toBe(true);
    expect((await workers.look())[0]).toBe((await workers.look())[0]);
  });
});
