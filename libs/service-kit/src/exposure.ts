import { isLoopback } from '@mpa/contracts';
import { ConfigError } from './config-error.js';
import type { Logger } from './logger.js';

/** The keys of a service's configuration that decide who reaches what. */
interface Exposed {
  readonly listen: string;
  readonly tls?: { readonly ca?: string | undefined; readonly requireClient: boolean } | undefined;
  readonly insecure: boolean;
  readonly callers?: readonly { readonly certificate?: string | undefined }[] | undefined;
  readonly places?: unknown;
}

/**
 * Other machines reach a service only as its operator has said: encrypted, or where something else encrypts; and only to places that are
 * named. Throws ConfigError that says which key is missing; logs what is open all the same.
 */
export function checkExposure({ listen, tls, insecure, callers, places }: Exposed, logger: Logger): void {
  if (tls?.ca === undefined && callers?.some(({ certificate }) => certificate !== undefined)) {
    throw new ConfigError('callers by certificate need tls.ca: who vouches for them');
  }
  if (isLoopback(listen)) return;
  if (!tls && !insecure) {
    throw new ConfigError(
      `other machines reach ${listen}, and nothing is encrypted: set tls, or insecure: true where a service mesh encrypts`,
    );
  }
  if (places === undefined) {
    throw new ConfigError(
      `other machines reach ${listen}: say which places callers may name by places.read and places.write, or places: any`,
    );
  }
  if (!tls) logger.warn({ listen }, 'nothing is encrypted (insecure: true)');
  const isKnown = tls?.ca !== undefined && tls.requireClient;
  if (!callers && !isKnown) logger.warn({ listen }, 'whoever reaches it may call: set callers or tls.ca');
  if (places === 'any') logger.warn({ listen }, 'callers may name any place (places: any)');
}
