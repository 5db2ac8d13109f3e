import { defineConfig } from 'vitest/config';
import base from './vitest.config.js';

/** `npm run kubernetes`: what needs a Kubernetes API server (built at first, half an hour) or an image's files is apart from `npm test`. */
export default defineConfig({
  ...base,
  test: {
    ...base.test,
    include: ['{test/kubernetes,libs/cli/src}/**/*.kubernetes.ts'],
    testTimeout: 300_000,
    hookTimeout: 3_600_000,
    fileParallelism: false,
  },
});
