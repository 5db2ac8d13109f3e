import { setTimeout as delay } from 'node:timers/promises';
import { create, ImageRecordSchema, implement, ModelService, WorkerService } from '@mpa/contracts';
import { modelCalls, tellGeneratedTokens } from '@mpa/telemetry';
import { z } from 'zod';
import type { Service } from './service.js';
import { topics } from './topics.js';
import { workerHandlers } from './worker.js';

const config = z.strictObject({
  greeting: z.string(),
  startMs: z.number().default(0),
  pauseMs: z.number().default(0),
  nested: z.strictObject({ size: z.number() }).default({ size: 1 }),
});

/**
 * A service without a model, for tests, that says it had one: answers with its greeting, a token for each character, and copies `images` to
 * `copies`. Asked to `break`, it has failed for good.
 */
export const echo: Service<typeof config> = {
  name: 'echo',
  config,
  start: async ({ greeting, startMs, pauseMs }, context) => {
    context.logger.info('starting');
    await delay(startMs);
    const model = implement(
      ModelService,
      {
        answer: async ({ questions }) => {
          await delay(pauseMs);
          if (questions[0] === 'break') {
            const error = new Error('the echo is broken');
            context.fail(error);
            throw error;
          }
          const texts = questions.map((question) => `${greeting} ${question}`);
          await modelCalls.tracePromise(async () => tellGeneratedTokens(texts.join('').length), { kind: 'run', provider: 'cpu' }); // prettier-ignore
          modelCalls.traceSync(() => undefined, { kind: 'train', provider: 'cpu' });
          return { answers: texts.map((text) => ({ text })) };
        },
        score: async () => ({}),
      },
      context.implementOptions,
    );
    const worker = workerHandlers(
      async () => ({
        group: 'echo',
        input: topics.images.name,
        batch: 4,
        process: async (batch) => {
          await delay(pauseMs);
          const copies = topics.images.decodeBatch(batch);
          for (const { record, message } of copies) {
            batch.send(
              'copies',
              topics.images.record(record.key, create(ImageRecordSchema, message), { headers: record.headers }),
            );
          }
          const outcomes = new Map(copies.map(({ record }) => [record, 'copied']));
          return { outcomes, modelSeconds: pauseMs / 1000 };
        },
      }),
      context,
    );
    return {
      implementations: [model, implement(WorkerService, worker, context.implementOptions)],
      close: async () => context.logger.info('freed'),
    };
  },
};
