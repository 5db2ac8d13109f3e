import { isIPv4 } from 'node:net';

/** Whether an address (host:port, or `unix:PATH`) can be reached from this machine alone, by what it says: no name is looked up. */
export function isLoopback(address: string): boolean {
  if (address.startsWith('unix:')) return true;
  const host = address.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}
