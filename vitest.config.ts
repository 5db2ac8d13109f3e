import { defaultServerConditions } from 'vite';
import { defineConfig } from 'vitest/config';

// Our packages resolve to their sources. Node itself gets these conditions too: `import` among them would break `require`,
// and `module` means files for bundlers.
const conditions = ['@mpa/source', ...defaultServerConditions.filter((condition) => condition !== 'module')];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: ['@mpa/source'] } },
  test: {
    include: ['{libs,services}/*/src/**/*.test.ts', 'libs/setup/src/**/*.test.mjs', 'test/**/*.test.ts'],
    exclude: ['**/dist/**', '**/node_modules/**'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 30_000 } },
  },
});
