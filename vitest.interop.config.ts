import { defineConfig } from 'vitest/config';
import base from './vitest.config.js';

/** `npm run interop`: what needs Python (transformers, PyTorch, PEFT: some 6 GB) or Prometheus is apart from `npm test`. */
export default defineConfig({
  ...base,
  test: {
    ...base.test,
    include: ['test/interop/**/*.interop.ts', 'libs/cli/src/**/*.interop.ts'],
    testTimeout: 300_000,
    hookTimeout: 1_200_000,
  },
});
