import { z } from 'zod';

/** A configuration value that is an address to listen on, `HOST:PORT`. */
export const hostPort = z.string().regex(/:\d+$/, 'must be HOST:PORT, such as 0.0.0.0:50051');

/** The two parts of such an address. */
export function splitAddress(address: string): { readonly host: string; readonly port: number } {
  const at = address.lastIndexOf(':');
  return { host: address.slice(0, at).replace(/^\[(.*)\]$/, '$1'), port: Number(address.slice(at + 1)) };
}
