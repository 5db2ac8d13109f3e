import { isLoopback } from '@mpa/contracts';
import { ConfigError } from '@mpa/service-kit';
import type { EndpointConfig } from './endpoint-config.js';

/** Where a key is looked for when nothing else is said. */
export const KEY_VARIABLE = 'OPENAI_API_KEY';

/**
 * The key of an endpoint; none where the usual variable is not set, or where it would travel unencrypted to another machine, which takes a named variable.
 * Throws ConfigError when a named one is not set.
 */
export function endpointKey(
  { url, keyVariable }: Pick<EndpointConfig, 'url' | 'keyVariable'>,
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const key = env[keyVariable ?? KEY_VARIABLE]?.trim();
  if (!key && keyVariable !== undefined) {
    throw new ConfigError(`the environment variable ${keyVariable} is not set; put the key of the endpoint into it`);
  }
  const { protocol, host } = new URL(url);
  const isOpen = protocol === 'http:' && !isLoopback(host);
  return key && !(isOpen && keyVariable === undefined) ? key : undefined;
}
