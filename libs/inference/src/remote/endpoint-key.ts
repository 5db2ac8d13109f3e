import { ConfigError } from '@mpa/service-kit';
import type { EndpointConfig } from './endpoint-config.js';

/** Where a key is looked for when nothing else is said. */
export const KEY_VARIABLE = 'OPENAI_API_KEY';

/** The key of an endpoint; none where the usual variable is not set. Throws ConfigError when a named one is not. */
export function endpointKey(
  { keyVariable }: Pick<EndpointConfig, 'keyVariable'>,
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const key = env[keyVariable ?? KEY_VARIABLE]?.trim();
  if (!key && keyVariable !== undefined) {
    throw new ConfigError(`the environment variable ${keyVariable} is not set; put the key of the endpoint into it`);
  }
  return key || undefined;
}
