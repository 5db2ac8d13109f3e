import { z } from 'zod';

/** From where a service may read images, and how large and slow they may be; a part of its configuration. */
export const imageAccess = z
  .strictObject({
    /** Web servers that may be asked: `HOST` (at the scheme's own port), `HOST:PORT`, or `*.DOMAIN`. */
    allowHosts: z.array(z.string().min(1)).default([]),
    /** Networks, such as `10.0.0.0/8`, that these may be in although they are not public. */
    privateNetworks: z.array(z.string().min(1)).default([]),
    /** Seconds that one read may take, with all its tries. */
    timeoutSeconds: z.number().positive().default(60),
    /** Largest image file. */
    maxMegabytes: z.number().positive().default(256),
  })
  .prefault({});

/** See {@link imageAccess}. */
export type ImageAccess = z.output<typeof imageAccess>;
