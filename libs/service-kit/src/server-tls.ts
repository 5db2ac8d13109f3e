import { experimental, ServerCredentials } from '@grpc/grpc-js';
import { CertificateFiles, TlsError } from '@mpa/contracts';
import { z } from 'zod';
import { ConfigError } from './config-error.js';
import type { Logger } from './logger.js';

/** Encrypted connections to a service; files are PEM, and read again so that they may be replaced at any time. */
export const serverTls = z.strictObject({
  /** The service's certificate, with those between it and the root. */
  cert: z.string().min(1),
  key: z.string().min(1),
  /** Certificates of who vouches for callers: with it, callers are asked for theirs. */
  ca: z.string().min(1).optional(),
  /** Whether a caller without one is turned away while connecting; else it may come with a token. */
  requireClient: z.boolean().default(true),
  /** Seconds between two looks at the files. */
  reloadSeconds: z.number().positive().default(60),
});

/** See {@link serverTls}. */
export type ServerTls = z.output<typeof serverTls>;

/**
 * The credentials of a server, unencrypted without `tls`. Replaced files count for connections made from then on; files that cannot be
 * used are logged, and those before stay in use. Throws ConfigError when the files cannot be used at the start.
 */
export async function serverCredentials(tls: ServerTls | undefined, logger: Logger): Promise<ServerCredentials> {
  if (tls === undefined) return ServerCredentials.createInsecure();
  const { cert, key, ca, requireClient, reloadSeconds } = tls;
  try {
    const files = { cert, key, ca };
    const certificates = await CertificateFiles.open(files, {
      everySeconds: reloadSeconds,
      onReloaded: (validTo) => logger.info({ cert, validTo }, 'the certificates were replaced'),
      onRejected: (error) =>
        logger.warn({ err: error }, 'the new certificates cannot be used; those before stay in use'),
    });
    const callers = ca === undefined ? null : certificates;
    // grpc-js names the two providers the other way round in its types.
    return experimental.createCertificateProviderServerCredentials(certificates, callers, requireClient);
  } catch (error) {
    if (error instanceof TlsError) throw new ConfigError(`tls: ${error.message}`, { cause: error });
    throw error;
  }
}
