import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { PeerCertificate } from 'node:tls';
import { ServerInterceptingCall, status, type Metadata, type ServerInterceptor } from '@grpc/grpc-js';
import { z } from 'zod';
import { ConfigError } from './config-error.js';

/** Shorter ones can be guessed. */
const SHORTEST_TOKEN = 16;
/** What anybody may ask, as orchestrators do: whether the service is well. */
const HEALTH = 'grpc.health.v1.Health';

/** One who may call, and what. */
const callerConfig = z
  .strictObject({
    /** A name in its certificate: a DNS name or URI (SPIFFE) of the alternative names; the common name where there are neither. */
    certificate: z.string().min(1).optional(),
    /** Environment variable that holds its token. */
    tokenVariable: z.string().min(1).optional(),
    /** File that holds its token. */
    tokenFile: z.string().min(1).optional(),
    /** Services of the contract, such as `mpa.v1.ModelService`; all of them, and reflection, when left out. */
    services: z.array(z.string()).min(1).optional(),
  })
  .refine(
    ({ certificate, tokenVariable, tokenFile }) =>
      [certificate, tokenVariable, tokenFile].filter((each) => each !== undefined).length === 1,
    { error: 'give one of certificate, tokenVariable and tokenFile' },
  );

/** Who may call a service; a part of its configuration. */
export const callersConfig = z.array(callerConfig).min(1).optional();

/** A caller as it is recognized. */
interface Caller {
  readonly certificate?: string | undefined;
  /** SHA-256 of its token. */
  readonly token?: Buffer | undefined;
  readonly services?: ReadonlySet<string> | undefined;
}

/**
 * Who may call a server. A call without a certificate or token that somebody has is UNAUTHENTICATED, one by somebody who may not ask
 * this service PERMISSION_DENIED; neither's request is read. Health may be asked by anybody.
 */
export class Callers {
  private constructor(private readonly callers: readonly Caller[]) {}

  /**
   * @param known names of the services that the server has
   * @param token one more caller, who may call everything
   * @throws ConfigError for a token that is not there or too short, or a service that is not known
   */
  static async of(
    config: z.output<typeof callersConfig>,
    known: readonly string[],
    env: Readonly<Record<string, string | undefined>>,
    token?: string,
  ): Promise<Callers | undefined> {
    if (config === undefined && token === undefined) return undefined;
    const callers = (config ?? []).map(
      async ({ certificate, services, tokenVariable, tokenFile }, i): Promise<Caller> => {
        const unknown = services?.find((service) => !known.includes(service));
        if (unknown !== undefined)
          throw new ConfigError(`callers.${i}.services: there is no ${unknown} here, only ${known.join(', ')}`);
        const from = tokenVariable ?? tokenFile;
        const secret =
          tokenVariable === undefined ? tokenFile && (await tokenIn(tokenFile)) : env[tokenVariable]?.trim();
        if (from !== undefined && (secret ?? '').length < SHORTEST_TOKEN)
          throw new ConfigError(`callers.${i}: ${from} holds no token of at least ${SHORTEST_TOKEN} characters`);
        return { certificate, services: services && new Set(services), token: secret ? digest(secret) : undefined };
      },
    );
    const own = token === undefined ? [] : [{ token: digest(token) }];
    return new Callers([...(await Promise.all(callers)), ...own]);
  }

  /** Lets through who may call. The token goes no further. */
  readonly interceptor: ServerInterceptor = ({ path }, call) =>
    new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, proceed) => {
            const refusal = this.#refusal(serviceOf(path), metadata, call.getAuthContext().sslPeerCertificate);
            metadata.remove('authorization');
            if (refusal) call.sendStatus(refusal);
            else proceed(metadata);
          },
        }),
    });

  #refusal(
    service: string,
    metadata: Metadata,
    certificate: PeerCertificate | undefined,
  ): { code: status; details: string } | undefined {
    if (service === HEALTH) return undefined;
    const names = certificate ? namesIn(certificate) : [];
    const [, bearer] = /^Bearer +(\S+)$/i.exec(String(metadata.get('authorization')[0] ?? '')) ?? [];
    const token = bearer === undefined ? undefined : digest(bearer);
    const same = this.callers.filter(
      (caller) =>
        (caller.certificate !== undefined && names.includes(caller.certificate)) ||
        (caller.token !== undefined && token !== undefined && timingSafeEqual(caller.token, token)),
    );
    if (same.some(({ services }) => services === undefined || services.has(service))) return undefined;
    if (same.length > 0) return { code: status.PERMISSION_DENIED, details: `this caller may not call ${service}` };
    if (names.length === 0 || bearer !== undefined)
      return { code: status.UNAUTHENTICATED, details: 'show a certificate or a token (authorization: Bearer ...) that is known here' }; // prettier-ignore
    return { code: status.PERMISSION_DENIED, details: `nobody of the name ${names.join(', ')} may call` };
  }
}

/** A token that nobody guesses. */
export function newToken(): string {
  return randomBytes(32).toString('base64url');
}

/** `/mpa.v1.ModelService/Answer` is a method of `mpa.v1.ModelService`. */
function serviceOf(path: string): string {
  return path.split('/')[1] ?? '';
}

/** DNS names and URIs of a certificate, or its common name. Node writes names with special characters in quotes, as in JSON. */
function namesIn({ subjectaltname = '', subject }: PeerCertificate): string[] {
  const alternatives = subjectaltname.match(/(?:[^,"]|"(?:[^"\\]|\\.)*")+/g) ?? [];
  const names = alternatives.flatMap((each) => /^\s*(?:DNS|URI):([^"]+)$/.exec(each)?.[1] ?? []);
  if (names.length > 0) return names;
  const common: unknown = subject?.CN;
  return typeof common === 'string' ? [common] : [];
}

async function tokenIn(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (cause) {
    throw new ConfigError(`callers: cannot read ${file}: ${(cause as Error).message}`, { cause });
  }
}

function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
