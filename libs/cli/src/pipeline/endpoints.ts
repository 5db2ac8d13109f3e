import { z } from 'zod';

const address = z.string().regex(/^.+:\d+$/, 'give host:port');

/** One process of a service, or several that share its work. */
const workers = z.union([address.transform((one) => [one]), z.array(address).min(1)]);

/** `--endpoints FILE`: addresses (host:port) of services that run elsewhere and see the same folders. */
export const endpointsSchema = z.strictObject({
  annotator: workers.optional(),
  parity: workers.optional(),
  trainer: address.optional(),
  evaluator: address.optional(),
});

/** See {@link endpointsSchema}. */
export type Endpoints = z.infer<typeof endpointsSchema>;
