import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createAdaptorServer } from '@hono/node-server';
import { ImageStore } from '@mpa/storage';
import { ConsoleError } from '../run/console-error.js';
import { RunsFolder } from '../run/runs-folder.js';
import { routes } from './routes.js';

/** What is looked at, and where it is served. */
export interface ConsoleOptions {
  /** Folder of runs. */
  readonly runs: string;
  /** Reads the images of samples; by default one that asks no web server. */
  readonly images?: ImageStore;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
}

/** A console that serves. */
export interface RunningConsole {
  /** What to open in a browser. */
  readonly address: string;
  /** Ends all connections and closes the runs. */
  stop(): Promise<void>;
}

const pages = fileURLToPath(new URL('../../dist/web', import.meta.url));

/**
 * Serves the pages to look at the runs of a folder. Throws ConsoleError `not-found` when there is no such folder, `not-built`
 * when the pages are not there, `listen` when the port is taken or the host is not this machine's.
 */
export async function startConsole({
  runs: path,
  images = new ImageStore(),
  host,
  port,
}: ConsoleOptions): Promise<RunningConsole> {
  const folder = resolve(path);
  const found = await stat(folder).catch(() => undefined);
  if (!found?.isDirectory()) throw new ConsoleError('not-found', `there is no folder ${folder}; give the right --runs`);
  if (!existsSync(join(pages, 'index.html'))) throw new ConsoleError('not-built', 'the pages are not built yet; run: npm run build'); // prettier-ignore
  const runs = new RunsFolder(folder);
  const stopping = new AbortController();
  const { fetch } = routes({ runs, images, host, pages, signal: stopping.signal });
  const server = createAdaptorServer({ fetch, overrideGlobalObjects: false }) as Server;
  await listen(server, host, port);
  const { address, port: taken } = server.address() as AddressInfo;
  return {
    address: `http://${address.includes(':') ? `[${address}]` : address}:${taken}/`,
    async stop() {
      stopping.abort();
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
      await runs.close();
    },
  };
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  try {
    server.listen(port, host);
    await once(server, 'listening');
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const why = code === 'EADDRINUSE' ? 'the port is taken; give another --port, or 0 for a free one' : message;
    throw new ConsoleError('listen', `cannot listen on ${host}:${port}: ${why}`, { cause });
  }
}
