import { setTimeout as pause } from 'node:timers/promises';
import { serveStatic } from '@hono/node-server/serve-static';
import type { ImageStore } from '@mpa/storage';
import { Hono, type MiddlewareHandler } from 'hono';
import { streamSSE, type SSEStreamingApi } from 'hono/streaming';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { RunList } from '../api.js';
import { ConsoleError, type ConsoleErrorCode } from '../run/console-error.js';
import type { RunsFolder } from '../run/runs-folder.js';
import { sampleDetail } from '../run/sample-detail.js';
import { pageOf, parseSampleQuery } from '../run/sample-query.js';
import { smallCopy } from '../run/thumbnail.js';
import { checkHost, guardHeaders } from './guard.js';

/** Milliseconds between two looks at a run that somebody watches. */
const LOOK_EVERY = 1000;
/** Pixels a side of an image by the size that an address may ask for. */
const SIDES = { small: 112, large: 1024 } as const;

const STATUS: Partial<Record<ConsoleErrorCode, ContentfulStatusCode>> = {
  'not-found': 404,
  unreadable: 422,
  'bad-request': 400,
};

interface RoutesOptions {
  readonly runs: RunsFolder;
  /** Reads the images of samples. */
  readonly images: ImageStore;
  /** What the server listens on. */
  readonly host: string;
  /** Folder of the built pages. */
  readonly pages: string;
  /** Aborts when the server is to stop. */
  readonly signal: AbortSignal;
}

/** Everything that can be asked of the server. Runs and samples are named; no address holds a path. */
export function routes({ runs, images, host, pages, signal }: RoutesOptions): Hono {
  const app = new Hono();
  app.use(guardHeaders, caching, checkHost(host));

  app.get('/api/runs', async (c) => {
    return c.json({ folder: runs.folder, runs: await runs.list() } satisfies RunList);
  });
  app.get('/api/runs/:run', async (c) => {
    return c.json((await runs.open(c.req.param('run'))).view);
  });
  app.get('/api/runs/:run/events', async (c) => {
    const name = c.req.param('run');
    await runs.open(name);
    return streamSSE(c, (stream) => watch(runs, name, stream, signal));
  });
  app.get('/api/runs/:run/samples', async (c) => {
    const query = parseSampleQuery(c.req.query());
    return c.json(pageOf((await runs.open(c.req.param('run'))).select(query), query));
  });
  app.get('/api/runs/:run/samples/:sample', async (c) => {
    const { samples } = await runs.open(c.req.param('run'));
    return c.json((await sampleDetail(samples, c.req.param('sample'))).detail);
  });
  app.get('/api/runs/:run/samples/:sample/:size{small|large}', async (c) => {
    const { samples } = await runs.open(c.req.param('run'));
    const { imageUri } = await sampleDetail(samples, c.req.param('sample'));
    const copy = await smallCopy(images, imageUri, SIDES[c.req.param('size') as keyof typeof SIDES]);
    if (!copy) throw new ConsoleError('not-found', 'the image can no longer be read');
    return c.body(new Uint8Array(copy), 200, { 'Content-Type': 'image/jpeg', 'Cache-Control': 'private, max-age=300' });
  });
  app.all('/api/*', () => {
    throw new ConsoleError('not-found', 'there is no such thing');
  });

  const index = serveStatic({ root: pages, path: 'index.html' });
  for (const page of ['/', '/compare', '/runs/:run', '/runs/:run/samples']) app.get(page, index);
  app.get('/assets/*', serveStatic({ root: pages }));
  app.get('/icon.svg', serveStatic({ root: pages }));

  app.onError((error, c) => {
    const status = error instanceof ConsoleError ? STATUS[error.code] : undefined;
    return c.json({ error: error.message }, status ?? 500);
  });
  return app;
}

/** Only what has its content's digest in its name, and what says so itself, is kept by a browser: runs change. */
const caching: MiddlewareHandler = async (c, next) => {
  await next();
  if (c.res.headers.has('Cache-Control')) return;
  c.header('Cache-Control', c.req.path.startsWith('/assets/') && c.res.ok ? 'max-age=31536000, immutable' : 'no-store');
};

/** Sends what is known of a run whenever it changed, until it is finished, gone or nobody listens any more. */
async function watch(runs: RunsFolder, name: string, stream: SSEStreamingApi, signal: AbortSignal): Promise<void> {
  let sent = '';
  while (!stream.aborted && !signal.aborted) {
    try {
      const { view } = await runs.open(name);
      const data = JSON.stringify(view);
      if (data !== sent) await stream.writeSSE({ event: 'run', data });
      sent = data;
      if (view.status === 'finished') return;
    } catch (error) {
      await stream.writeSSE({ event: 'gone', data: error instanceof Error ? error.message : String(error) });
      return;
    }
    await pause(LOOK_EVERY, undefined, { signal }).catch(() => undefined);
  }
}
