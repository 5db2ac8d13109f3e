import { z } from 'zod';

const address = z.string().regex(/^(dns:\/\/\/)?[^/]+:\d+$/, 'give host:port or dns:///host:port');

/** One process of a service, or several that share its work. */
const workers = z.union([address.transform((one) => [one]), z.array(address).min(1)]);

const file = z.string().min(1).optional();

/**
 * `--endpoints FILE`: addresses of services that run elsewhere and see the same folders: host:port of a process, or
 * dns:///host:port for all processes that a name leads to, whichever those are at the time;
 * and how they are reached.
 */
export const endpointsSchema = z.strictObject({
  annotator: workers.optional(),
  parity: workers.optional(),
  trainer: address.optional(),
  evaluator: address.optional(),
  /** Encrypted connections to all of them: `true` for the system's certificates, or PEM files. */
  tls: z
    .union([z.literal(true), z.strictObject({ ca: file, cert: file, key: file, serverName: z.string().optional() })])
    .optional(),
  /** File that holds the token for all of them; MPA_TOKEN in its place where it is left out. */
  tokenFile: file,
});

/** See {@link endpointsSchema}. */
export type Endpoints = z.infer<typeof endpointsSchema>;
