import { isLoopback } from '@mpa/contracts';
import { ConfigError } from '@mpa/service-kit';
import type { EndpointConfig } from './endpoint-config.js';

/** Where a key is looked for when nothing else is said. */
const KEY_VARIABLE = 'OPENAI_API_KEY';

type KeySource = Pick<EndpointConfig, 'url' | 'keyVariable'>;

/**
 * The key of an endpoint; none where the usual variable is not set, or where it would travel unencrypted to another machine, which takes a named variable.
 * Throws ConfigError when a named one is not set.
 */
export function endpointKey(
  { url, keyVariable }: KeySource,
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const key = env[keyVariable ?? KEY_VARIABLE]?.trim();
  if (!key && keyVariable !== undefined) {
    throw new ConfigError(`the environment variable ${keyVariable} is not set; put the key of the endpoint into it`);
  }
  return key && (keyVariable !== undefined || !isRead(url)) ? key : undefined;
}

/** What to do when an endpoint refuses the key that it got, or none. */
export function keyAdvice({ url, keyVariable }: KeySource): string {
  return keyVariable === undefined && isRead(url)
    ? 'no key is sent unencrypted unless its environment variable is named (--teacher-key-env, keyVariable)'
    : `put the right key into the environment variable ${keyVariable ?? KEY_VARIABLE}`;
}

/** Whether others may read what is sent there. */
function isRead(url: string): boolean {
  const { protocol, host } = new URL(url);
  return protocol === 'http:' && !isLoopback(host);
}
