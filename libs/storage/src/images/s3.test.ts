import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer, request } from 'node:http';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ImageStore, type ImageStoreOptions } from './image-store.js';
import type { ListedImage } from './listed-image.js';
import { KEYS, startS3Server, type S3Server } from './s3-server.fixture.js';

const fixtures = fileURLToPath(new URL('../../fixtures/', import.meta.url));

describe('images in S3', () => {
  let root: string;
  let server: S3Server;

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'mpa-s3-'));
    for (const [key, content] of Object.entries({
      'photos/a.png': 'first',
      'photos/b/ä #1?.jpg': 'second',
      'photos/b/100%.png': 'third',
      'photos/b/notes.txt': 'no image',
      'photos/.hidden/x.png': 'hidden',
      'photos/empty.png': '',
      'photos-too/c.png': 'of another folder',
      'private/secret.png': 'secret',
    })) {
      await put(`pictures/${key}`, content);
    }
    const references = [
      ...['a.png', 'b/../a.png', '../private/secret.png', 's3://pictures/private/secret.png'],
      ...['s3://pictures/photos/../private/secret.png', '/etc/passwd', 'file:///etc/passwd'],
    ];
    const lines = references.map((image) => `${JSON.stringify({ image, id: 1 })}\n`);
    await put('pictures/photos/list.jsonl', lines.join(''));
    for (const shard of ['gnu.tar', 'plain.arrow', 'dataset.parquet']) {
      await cp(join(fixtures, shard), join(root, 'pictures/shards', shard), { recursive: true });
    }
    for (let i = 0; i < 1100; i++) await put(`many/${String(i).padStart(4, '0')}.png`, 'x');
    server = await startS3Server(root);
  }, 180_000);
  afterAll(async () => {
    await server.stop();
    await rm(root, { recursive: true });
  });
  beforeEach(() => {
    Object.assign(process.env, KEYS, { AWS_ENDPOINT_URL: server.endpoint, AWS_REGION: 'us-east-1' });
  });

  async function put(key: string, content: string): Promise<void> {
    await mkdir(dirname(join(root, key)), { recursive: true });
    await writeFile(join(root, key), content);
  }

  async function list(source: string, options: ImageStoreOptions = {}): Promise<ListedImage[]> {
    const found: ListedImage[] = [];
    for await (const entry of new ImageStore(options).list(source)) found.push(entry);
    return found;
  }

  const paths = async (source: string): Promise<string[]> =>
    (await list(source)).filter(({ kind }) => kind === 'image').map(({ path }) => path);

  it('lists a prefix as a folder, in a fixed order, and leaves out what is no image', async () => {
    expect(await paths('s3://pictures/photos')).toEqual(['a.png', 'b/100%.png', 'b/ä #1?.jpg']);
    expect(await paths('s3://pictures/photos/')).toEqual(['a.png', 'b/100%.png', 'b/ä #1?.jpg']);
    expect((await list('s3://pictures/photos')).filter(({ kind }) => kind === 'skipped')).toMatchObject([
      { path: 'empty.png', reason: 'empty' },
    ]);
  });

  it('lists a whole bucket, globs, one object, and more than one page', async () => {
    expect(await paths('s3://pictures/photos*/*.png')).toEqual(['photos-too/c.png', 'photos/a.png']);
    expect(await paths('s3://pictures/photos/b/*.{png,jpg}')).toEqual(['100%.png', 'ä #1?.jpg']);
    expect(await paths('s3://pictures/photos/a.png')).toEqual(['a.png']);
    expect(await paths('s3://many')).toHaveLength(1100);
  });

  it('gives each image a URI by which another process reads it', async () => {
    const contents = [];
    for (const { kind, uri } of await list('s3://pictures/photos')) {
      if (kind === 'image') contents.push(Buffer.from(await new ImageStore().read(uri)).toString());
    }
    expect(contents).toEqual(['first', 'third', 'second']);
  });

  it('lists shards by their headers alone and reads one image by its bytes', async () => {
    const expected = JSON.parse(await readFile(join(fixtures, 'expected.json'), 'utf8')) as Record<string, string>;
    const entries = (await list('s3://pictures/shards')).filter(({ kind }) => kind === 'image');
    expect(entries.map(({ path }) => path)).toEqual(expect.arrayContaining(Object.keys(expected).filter((path) => /^(gnu.tar|plain.arrow|dataset.parquet)/.test(path)))); // prettier-ignore
    for (const { path, uri } of entries.filter((entry) => entry.path in expected)) {
      const bytes = await new ImageStore().read(uri);
      expect(createHash('sha256').update(bytes).digest('hex'), uri).toBe(expected[path]);
    }
  });

  it('reads lists, relative to themselves, and follows them nowhere else', async () => {
    const source = 's3://pictures/photos/list.jsonl';
    const told = (entries: ListedImage[]): string[] =>
      entries.map((entry) => (entry.kind === 'image' ? entry.uri : entry.reason));
    const a = 's3://pictures/photos/a.png';
    const refused = Array.from({ length: 5 }, () => 'not-allowed');
    expect(told(await list(source))).toEqual([a, a, ...refused]);
    const wider = await list(source, { imageRoots: ['s3://pictures/private'] });
    const secret = 's3://pictures/private/secret.png';
    expect(told(wider)).toEqual([a, a, secret, secret, 'not-allowed', 'not-allowed', 'not-allowed']);
  });

  it('says in one error what is wrong at the start', async () => {
    await expect(list('s3://nowhere/photos')).rejects.toMatchObject({ code: 'not-found' });
    await expect(list('s3://pictures/none')).rejects.toMatchObject({ code: 'no-images' });
    await expect(list('s3://pictures/none.png')).rejects.toMatchObject({ code: 'not-found' });
    process.env['AWS_SECRET_ACCESS_KEY'] = 'wrong';
    await expect(list('s3://pictures/photos')).rejects.toMatchObject({ code: 'credentials', retriable: true });
    process.env['AWS_ENDPOINT_URL'] = 'http://127.0.0.1:1';
    await expect(list('s3://pictures/photos')).rejects.toMatchObject({ code: 'unreachable', retriable: true });
  });

  it('tells a missing and a too large object from a service that is away', async () => {
    const read = (uri: string, options: ImageStoreOptions = {}): Promise<Uint8Array> =>
      new ImageStore(options).read(uri);
    await expect(read('s3://pictures/photos/gone.png')).rejects.toMatchObject({ code: 'not-found', retriable: false });
    await expect(read('s3://pictures/photos/a.png', { maxMegabytes: 1e-6 })).rejects.toMatchObject({
      code: 'too-large',
    });
    const sockets = new Set<Socket>();
    const silent = createServer((socket) => void sockets.add(socket));
    process.env['AWS_ENDPOINT_URL'] = await listening(silent);
    await expect(read('s3://pictures/photos/a.png', { timeoutSeconds: 0.5 })).rejects.toMatchObject({
      code: 'timeout',
    });
    for (const socket of sockets) socket.destroy();
    silent.close();
  });

  it('reads no more than the limit from a service that does not tell how much there is', async () => {
    let sent = 0;
    const endless = createHttpServer((_, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536))) sent += 65_536;
      };
      response.on('drain', more);
      more();
    });
    process.env['AWS_ENDPOINT_URL'] = await listening(endless);
    const read = new ImageStore({ maxMegabytes: 1, timeoutSeconds: 60 }).read('s3://pictures/photos/a.png');
    await expect(read).rejects.toMatchObject({ code: 'too-large' });
    // The megabyte, and what fits into the buffers of a connection on loopback.
    expect(sent).toBeLessThan(64 * 2 ** 20);
    endless.closeAllConnections();
    endless.close();
  });

  it('tries again when the service fails for a moment', async () => {
    let failures = 0;
    const flaky = createHttpServer((incoming, outgoing) => {
      if (failures < 2) {
        failures += 1;
        outgoing.writeHead(503).end();
        return;
      }
      const { method, url, headers } = incoming;
      request(`${server.endpoint}${url}`, { method, headers }, (answer) => {
        outgoing.writeHead(answer.statusCode!, answer.headers);
        answer.pipe(outgoing);
      }).end();
    });
    process.env['AWS_ENDPOINT_URL'] = await listening(flaky);
    const read = await new ImageStore().read('s3://pictures/photos/a.png');
    expect(Buffer.from(read).toString()).toBe('first');
    expect(failures).toBe(2);
    flaky.closeAllConnections();
    flaky.close();
  });
});

async function listening(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
