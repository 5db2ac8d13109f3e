import { lookup, type LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';
import { StorageError } from '../storage-error.js';

/** What may be connected to over HTTP. */
export interface AddressRuleOptions {
  /** `HOST` (at the scheme's own port), `HOST:PORT`, or `*.DOMAIN` for every host below a domain. */
  readonly allowHosts: readonly string[];
  /** Networks (CIDR) inside which an allowed host may be although they are not public. */
  readonly privateNetworks: readonly string[];
}

/**
 * Decides which servers may be asked. A host must be on the list, and its addresses must be public or in one of the given
 * networks. Addresses are checked as they are connected to, so a name that resolves to something else by then gains nothing.
 */
export class AddressRule {
  readonly #networks: ReturnType<typeof ipaddr.parseCIDR>[];

  /** Throws StorageError `unsupported` for a network that is no CIDR. */
  constructor(private readonly options: AddressRuleOptions) {
    this.#networks = options.privateNetworks.map((network) => {
      if (!ipaddr.isValidCIDR(network)) {
        throw new StorageError('unsupported', `${network} is no network: write it as 10.0.0.0/8`);
      }
      return ipaddr.parseCIDR(network);
    });
  }

  /** Throws StorageError `not-allowed`, or `unsupported` for another scheme or a URL with a password. */
  checkUrl(url: URL): void {
    if (url.protocol !== 'http:' && url.protocol !== 'https:') {
      throw new StorageError('unsupported', `${url.href}: ${url.protocol} URIs are not read`);
    }
    if (url.username !== '' || url.password !== '') {
      throw new StorageError('unsupported', `${url.host}: a URL with a user or password is not read`);
    }
    if (!this.options.allowHosts.some((allowed) => matches(allowed, url))) {
      throw new StorageError('not-allowed', `${url.host} is no allowed host; allow it by --allow-hosts ${url.host}`);
    }
    const address = url.hostname.replace(/^\[|\]$/g, '');
    if (ipaddr.isValid(address)) this.#checkAddress(address, url.host);
  }

  /** `dns.lookup` that fails with StorageError `not-allowed` when any of the addresses may not be connected to. */
  readonly lookup: LookupFunction = (hostname, options, done) => {
    lookup(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
      if (error) return done(error, '');
      try {
        for (const { address } of addresses) this.#checkAddress(address, hostname);
      } catch (refused) {
        return done(refused as Error, '');
      }
      if (options.all) done(null, addresses);
      else done(null, addresses[0]!.address, addresses[0]!.family);
    });
  };

  #checkAddress(text: string, host: string): void {
    // An IPv4 address in IPv6's clothes counts as what it is.
    const address = ipaddr.process(text);
    if (address.range() === 'unicast') return;
    if (this.#networks.some((network) => address.kind() === network[0].kind() && address.match(network))) return;
    throw new StorageError(
      'not-allowed',
      `${host} is at ${text}, no public address; allow its network by images.privateNetworks if that is meant`,
    );
  }
}

function matches(allowed: string, { protocol, hostname, port }: URL): boolean {
  const [, name, allowedPort = ''] = /^(\[.*\]|[^:]*)(?::(\d+))?$/.exec(allowed.toLowerCase()) ?? [];
  if (name === undefined) return false;
  const own = protocol === 'https:' ? '443' : '80';
  if ((port === '' ? own : port) !== (allowedPort === '' ? own : allowedPort)) return false;
  return name.startsWith('*.') ? hostname.endsWith(name.slice(1)) : hostname === name;
}
