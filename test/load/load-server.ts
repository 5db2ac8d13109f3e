import { writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { implement, ModelService, WorkerService } from '@mpa/contracts';
import { createLogger, startService, type Service } from '@mpa/service-kit';
import { z } from 'zod';
import { peakMemory } from '../bench/peak-memory.js';

/** Milliseconds that a call takes. */
const WORK_MS = 5;
/** Bytes of a message of a stream. */
const MESSAGE_BYTES = 100_000;

/** Messages that streams have made so far. */
let made = 0;
/** Calls at a handler, and the most that were there at once. */
const handled = { now: 0, most: 0 };

const loaded: Service<z.ZodObject> = {
  name: 'loaded',
  config: z.strictObject({}),
  start: async (_, { implementOptions }) => ({
    implementations: [
      implement(
        ModelService,
        {
          answer: async ({ image }) => {
            handled.most = Math.max(handled.most, ++handled.now);
            await pause(WORK_MS);
            handled.now -= 1;
            return { answers: [{ text: String(image?.source.case === 'data' ? image.source.value.length : 0) }] };
          },
          score: async () => ({}),
        },
        implementOptions,
      ),
      implement(
        WorkerService,
        {
          async *consume() {
            for (;;) {
              made += 1;
              yield { outcomes: { ['x'.repeat(MESSAGE_BYTES)]: 1 } };
            }
          },
        },
        implementOptions,
      ),
    ],
    close: async () => undefined,
  }),
};

/** What the server tells of itself when it is asked. */
export interface ServerState {
  readonly address: string;
  readonly healthAddress: string;
  /** Bytes: the most that the process has had since it was told to forget, by the kernel. */
  readonly peak: number;
  readonly made: number;
  readonly most: number;
  /** Calls at a handler. */
  readonly now: number;
}

const config = process.argv[2] ? (JSON.parse(process.argv[2]) as object) : {};
const running = await startService(
  loaded,
  { listenHealth: '127.0.0.1:0', ...config },
  {
    logger: createLogger('loaded', 'silent'),
  },
);
const tell = (): void => {
  const state: ServerState = {
    address: running.address,
    healthAddress: running.healthAddress!,
    peak: peakMemory(),
    made,
    ...handled,
  };
  process.send!(state);
};
process.on('message', (asked) => {
  // The kernel forgets its high-water mark: proc(5), clear_refs.
  if (asked === 'forget') writeFileSync('/proc/self/clear_refs', '5');
  tell();
});
process.on('disconnect', () => process.exit(0));
tell();
