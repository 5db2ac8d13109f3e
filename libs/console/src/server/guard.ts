import { isIP } from 'node:net';
import type { MiddlewareHandler } from 'hono';
import { secureHeaders } from 'hono/secure-headers';

/**
 * Refuses a request that names this server by a host name of somebody else: a page from the internet whose name was made to
 * point here (DNS rebinding) could read everything. An address is no name that can be made to point anywhere.
 *
 * @param host what the server was told to listen on
 */
export function checkHost(host: string): MiddlewareHandler {
  const names = new Set(['localhost', host.toLowerCase()]);
  return async (context, next) => {
    const name = hostName(context.req.header('host'));
    if (name === undefined || !(names.has(name) || isIP(name))) {
      return context.json({ error: 'this server does not go by that name; use the address that it printed' }, 421);
    }
    return next();
  };
}

/** The host of a Host header without its port, brackets of IPv6 taken off; undefined when it is none. */
function hostName(header = ''): string | undefined {
  if (!URL.canParse(`http://${header}/`)) return undefined;
  const { hostname, pathname, username } = new URL(`http://${header}/`);
  if (pathname !== '/' || username !== '') return undefined;
  return hostname.replace(/^\[(.*)\]$/, '$1');
}

/** Headers that let the pages load nothing but their own files, and nobody else load or frame them. */
export const guardHeaders: MiddlewareHandler = secureHeaders({
  contentSecurityPolicy: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'"],
    imgSrc: ["'self'"],
    connectSrc: ["'self'"],
    baseUri: ["'none'"],
    formAction: ["'none'"],
    frameAncestors: ["'none'"],
  },
  strictTransportSecurity: false,
  xFrameOptions: 'DENY',
});
