import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * Where set-up keeps what `npm ci` must not throw away: `mpa` in `MPA_CACHE`, else in `XDG_CACHE_HOME`, else in `~/.cache`.
 * `libs/tensorflow/src/backend-location.ts` follows the same rule.
 */
export function cacheDirectory(env = process.env) {
  return join(env.MPA_CACHE || env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'mpa');
}
