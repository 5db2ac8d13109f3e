import { createLogger, startInProcess } from '@mpa/service-kit';
import { expect, it } from 'vitest';
import { trainer } from './trainer.js';

it('a trainer that insists on a GPU is not started without one', async () => {
  const start = startInProcess(
    trainer,
    { device: 'cuda', backend: 'wasm' },
    { logger: createLogger('test', 'silent') },
  );
  await expect(start).rejects.toThrow(/^device: cuda is set, but TensorFlow \S+ would compute on CPU [^\n]*$/);
});
