import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import { ConfigError } from '../config-error.js';
import { splitAddress } from '../host-port.js';

/** The page that Prometheus reads. */
export interface MetricsPage {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serves the metrics at `/metrics`, in Prometheus's text format, and nothing else. Throws ConfigError when the address cannot be
 * listened on.
 *
 * @param listen HOST:PORT; port 0 takes a free one
 */
export async function openMetricsPage(registry: Registry, listen: string): Promise<MetricsPage> {
  const server = createServer((request, response) => {
    if (request.method !== 'GET' || request.url?.split('?')[0] !== '/metrics') {
      return void response.writeHead(404).end('the metrics are at /metrics\n');
    }
    registry.metrics().then(
      (text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text),
      (error: unknown) => response.writeHead(500).end(`${String(error)}\n`),
    );
  });
  const { host, port } = splitAddress(listen);
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (cause) {
    throw new ConfigError(`cannot listen on ${listen}: ${(cause as Error).message}`, { cause });
  }
  const { port: taken } = server.address() as AddressInfo;
  return {
    url: `http://${listen.replace(/:\d+$/, `:${taken}`)}/metrics`,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
