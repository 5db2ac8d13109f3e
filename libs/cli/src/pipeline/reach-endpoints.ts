import { readFileSync } from 'node:fs';
import { clientCredentials, TlsError, type ClientOptions } from '@mpa/contracts';
import { ConfigError } from '@mpa/service-kit';
import type { CommandContext } from '../command-context.js';
import type { Endpoints } from './endpoints.js';

/**
 * How services elsewhere are reached, as the file of `--endpoints` says: encrypted, with a token from its file or MPA_TOKEN. Throws
 * ConfigError for files that cannot be used.
 */
export async function reachEndpoints(
  { tls, tokenFile }: Endpoints,
  env: CommandContext['env'],
): Promise<Pick<ClientOptions, 'credentials' | 'serverName' | 'token'>> {
  const token = tokenFile === undefined ? env['MPA_TOKEN']?.trim() : readToken(tokenFile);
  // A file is read for each call, since it may be replaced while a run goes on.
  const authorised = token ? { token: () => (tokenFile === undefined ? token : readToken(tokenFile)) } : {};
  if (tls === undefined) return authorised;
  const { serverName, ...files } = tls === true ? {} : tls;
  try {
    return { ...authorised, serverName, credentials: await clientCredentials(files) };
  } catch (error) {
    if (error instanceof TlsError) throw new ConfigError(`--endpoints: tls: ${error.message}`, { cause: error });
    throw error;
  }
}

function readToken(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw new ConfigError(`--endpoints: tokenFile: cannot read ${file}: ${(cause as Error).message}`, { cause });
  }
}
