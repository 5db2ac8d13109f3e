import { z } from 'zod';

const address = z.string().regex(/^(dns:\/\/\/)?[^/]+:\d+$/, 'give host:port or dns:///host:port');

/** One process of a service, or several that share its work. */
const workers = z.union([address.transform((one) => [one]), z.array(address).min(1)]);

/**
 * `--endpoints FILE`: addresses of services that run elsewhere and see the same folders: host:port of a process, or
 * dns:///host:port for all processes that a name leads to, whichever those are at the time.
 */
export const endpointsSchema = z.strictObject({
  annotator: workers.optional(),
  parity: workers.optional(),
  trainer: address.optional(),
  evaluator: address.optional(),
});

/** See {@link endpointsSchema}. */
export type Endpoints = z.infer<typeof endpointsSchema>;
