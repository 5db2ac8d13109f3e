import { z } from 'zod';

const address = z.string().regex(/^.+:\d+$/, 'give host:port');

/** `--endpoints FILE`: addresses (host:port) of services that run elsewhere and see the same folders. */
export const endpointsSchema = z.strictObject({
  annotator: address.optional(),
  parity: address.optional(),
  trainer: address.optional(),
  evaluator: address.optional(),
});

/** See {@link endpointsSchema}. */
export type Endpoints = z.infer<typeof endpointsSchema>;
