import { join } from 'node:path';
import { expect, it } from 'vitest';
import { cacheDirectory } from './cache-directory.mjs';
import { REPOSITORY_ROOT } from './repository-root.mjs';

it('is where libs/tensorflow looks, whatever the environment says', async () => {
  const { defaultCacheDirectory } = await import(join(REPOSITORY_ROOT, 'libs/tensorflow/src/backend-location.ts'));
  for (const env of [{ MPA_CACHE: '/a', XDG_CACHE_HOME: '/b' }, { MPA_CACHE: '', XDG_CACHE_HOME: '/b' }, {}]) {
    expect(defaultCacheDirectory(env)).toBe(cacheDirectory(env));
  }
  expect(cacheDirectory({ MPA_CACHE: '/a' })).toBe('/a/mpa');
});
