import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AddressRule } from './address-rule.js';
import { ImageStore, type ImageStoreOptions } from './image-store.js';
import type { ListedImage } from './listed-image.js';

const fixtures = fileURLToPath(new URL('../../fixtures/', import.meta.url));
type Answer = (request: IncomingMessage, response: ServerResponse) => void;

describe('images on web servers', () => {
  /** Allowed, at 127.0.0.1; and one that nobody may be led to, at 127.0.0.2. */
  let server: Server;
  let inside: Server;
  let host: string;
  let insideHost: string;
  let asked: string[];
  const answers = new Map<string, Answer>();

  beforeAll(async () => {
    server = createServer((request, response) => {
      asked.push(request.url!);
      const answer = answers.get(request.url!.replace(/\?.*/, ''));
      if (answer) answer(request, response);
      else response.writeHead(404).end('not here');
    });
    inside = createServer((request, response) => {
      asked.push(`inside ${request.url!}`);
      response.end('secret');
    });
    [host, insideHost] = [await listening(server, '127.0.0.1'), await listening(inside, '127.0.0.2')];
  });
  afterAll(() => {
    for (const each of [server, inside]) {
      each.closeAllConnections();
      each.close();
    }
  });
  beforeEach(() => {
    asked = [];
  });

  const storeOf = (options: ImageStoreOptions = {}): ImageStore =>
    new ImageStore({ allowHosts: [host], privateNetworks: ['127.0.0.1/32'], ...options });
  const read = (path: string, options?: ImageStoreOptions): Promise<Uint8Array> =>
    storeOf(options).read(`http://${host}${path}`);
  const redirect =
    (to: string, status = 302): Answer =>
    (_, response) =>
      response.writeHead(status, { location: to }).end();
  const serve =
    (content: Uint8Array): Answer =>
    ({ headers }, response) => {
      const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? [];
      if (from === undefined) return response.end(content);
      const part = content.subarray(Number(from), Number(to) + 1);
      const range = `bytes ${from}-${Number(from) + part.length - 1}/${content.length}`;
      response.writeHead(206, { 'content-range': range, 'content-length': part.length }).end(part);
    };

  async function list(source: string, options?: ImageStoreOptions): Promise<ListedImage[]> {
    const found: ListedImage[] = [];
    for await (const entry of storeOf(options).list(source)) found.push(entry);
    return found;
  }

  it('reads an image, also where it moved to', async () => {
    answers.set('/a.png', (_, response) => response.end('image'));
    answers.set('/old.png', redirect('/older.png', 301));
    answers.set('/older.png', redirect(`http://${host}/a.png`, 307));
    expect(Buffer.from(await read('/old.png')).toString()).toBe('image');
    expect(asked).toEqual(['/old.png', '/older.png', '/a.png']);
  });

  it('asks no host that is not allowed', async () => {
    answers.set('/a.png', (_, response) => response.end('image'));
    for (const allowHosts of [[], ['127.0.0.1'], ['127.0.0.1:1'], ['*.0.0.1:80'], ['example.org']]) {
      await expect(read('/a.png', { allowHosts })).rejects.toMatchObject({ code: 'not-allowed' });
    }
    await expect(read('/a.png', { privateNetworks: [] })).rejects.toThrow(/no public address/);
    await expect(storeOf().read(`http://user:password@${host}/a.png`)).rejects.toMatchObject({ code: 'unsupported' });
    expect(asked).toEqual([]);
  });

  it('follows no redirect to a host or an address that is not allowed', async () => {
    const allowHosts = [host, insideHost, 'localhost', `localhost:${insideHost.split(':')[1]}`, '169.254.169.254'];
    for (const [to, options] of [
      [`http://${insideHost}/`, {}],
      [`http://${insideHost}/`, { allowHosts }],
      ['http://169.254.169.254/latest/meta-data/', {}],
      ['http://169.254.169.254/latest/meta-data/', { allowHosts }],
      ['http://[::ffff:169.254.169.254]/', { allowHosts: [...allowHosts, '[::ffff:a9fe:a9fe]'] }],
      ['http://[::ffff:7f00:2]/', { allowHosts: [...allowHosts, '[::ffff:7f00:2]'] }],
      ['http://2130706434/', { allowHosts: [...allowHosts, '127.0.0.2'] }],
      ['http://0x7f.2/', { allowHosts: [...allowHosts, '127.0.0.2'] }],
      ['http://0.0.0.0/', { allowHosts: [...allowHosts, '0.0.0.0'] }],
      ['http://[::1]/', { allowHosts: [...allowHosts, '[::1]'] }],
    ] as const) {
      answers.set('/there.png', redirect(to));
      await expect(read('/there.png', options), to).rejects.toMatchObject({ code: 'not-allowed' });
    }
    for (const to of ['file:///etc/passwd', 'ftp://127.0.0.2/']) {
      answers.set('/there.png', redirect(to));
      await expect(read('/there.png', { allowHosts })).rejects.toMatchObject({ code: 'unsupported' });
    }
    expect(asked.filter((url) => url.startsWith('inside'))).toEqual([]);
  });

  it('checks the addresses that it connects to, so that a name which resolves to another one gains nothing', async () => {
    const { port } = server.address() as AddressInfo;
    const localhost = `http://localhost:${port}/a.png`;
    answers.set('/a.png', (_, response) => response.end('image'));
    const allowHosts = [`localhost:${port}`];
    await expect(new ImageStore({ allowHosts }).read(localhost)).rejects.toMatchObject({ code: 'not-allowed' });
    expect(asked).toEqual([]);
    const privateNetworks = ['127.0.0.0/8', '::1/128'];
    expect(await new ImageStore({ allowHosts, privateNetworks }).read(localhost)).toHaveLength(5);
    // What is connected to is what was checked: the connection looks up by this very function.
    const { lookup } = new AddressRule({ allowHosts, privateNetworks: [] });
    const refused = await new Promise((resolve) => lookup('localhost', { all: true }, (error) => resolve(error)));
    expect(refused).toMatchObject({ code: 'not-allowed' });
  });

  it('goes on in a list after what is no address, and does not ask again for a redirect to one', async () => {
    answers.set('/lists/a.txt', (_, response) => response.end('a.png\n//[\nb.png\n'));
    const entries = await list(`http://${host}/lists/a.txt`);
    expect(entries.map((entry) => (entry.kind === 'image' ? entry.path : entry.reason))).toEqual(['a.png', 'unsupported', 'b.png']); // prettier-ignore
    answers.set('/nowhere.png', redirect('http://['));
    asked = [];
    await expect(read('/nowhere.png')).rejects.toMatchObject({ code: 'unsupported' });
    expect(asked).toEqual(['/nowhere.png']);
  });

  it('gives up on redirects that never end', async () => {
    answers.set('/round.png', redirect('/round.png'));
    await expect(read('/round.png')).rejects.toThrow(/more than 5 redirects/);
    expect(asked).toHaveLength(6);
  });

  it('reads no more than the limit, whatever the server says', async () => {
    const maxMegabytes = 1 / 1024;
    let sent = 0;
    answers.set('/told.png', (_, response) => response.writeHead(200, { 'content-length': 2 ** 40 }).flushHeaders());
    answers.set('/endless.png', (_, response) => {
      const more = (): void => {
        if (response.destroyed) return;
        sent += 512;
        response.write(Buffer.alloc(512), () => setImmediate(more));
      };
      more();
    });
    for (const path of ['/told.png', '/endless.png']) {
      await expect(read(path, { maxMegabytes })).rejects.toMatchObject({ code: 'too-large' });
    }
    // What was on its way when the connection was closed: the system's buffers hold some megabytes.
    expect(sent).toBeLessThan(2 ** 26);
  });

  it('waits no longer than the limit for an answer, or for its end', async () => {
    answers.set('/silent.png', () => undefined);
    answers.set('/slow.png', (_, response) => {
      const dripping = setInterval(() => response.write('x'), 50);
      response.on('close', () => clearInterval(dripping));
    });
    for (const path of ['/silent.png', '/slow.png']) {
      const failing = read(path, { timeoutSeconds: 0.5 });
      await expect(failing).rejects.toMatchObject({ code: 'timeout', retriable: false });
    }
  });

  it('tries again what may pass, and nothing else', async () => {
    let left = 2;
    answers.set('/flaky.png', (_, response) => {
      if (left-- > 0) response.writeHead(503).end();
      else response.end('image');
    });
    answers.set('/broken.png', (_, response) => response.socket!.destroy());
    answers.set('/forbidden.png', (_, response) => response.writeHead(403).end());
    expect(await read('/flaky.png')).toHaveLength(5);
    await expect(read('/broken.png')).rejects.toMatchObject({ code: 'unreachable' });
    await expect(read('/forbidden.png')).rejects.toMatchObject({ code: 'forbidden' });
    await expect(read('/gone.png')).rejects.toMatchObject({ code: 'not-found' });
    const times = (path: string): number => asked.filter((url) => url === path).length;
    expect(['/flaky.png', '/broken.png', '/forbidden.png', '/gone.png'].map(times)).toEqual([3, 4, 1, 1]);
  });

  it('lists what a list names, and skips the references that may not be followed', async () => {
    const lines = ['a.png', '/b.png?size=2#x', 'https://elsewhere.org/c.png', '/etc/passwd', 's3://bucket/d.png', 'file:///etc/passwd']; // prettier-ignore
    answers.set('/lists/train.txt', (_, response) => response.end(lines.join('\n')));
    const found = await list(`http://${host}/lists/train.txt`);
    expect(found.map((entry) => (entry.kind === 'image' ? [entry.path, entry.uri] : [entry.reason]))).toEqual([
      ['a.png', `http://${host}/lists/a.png`],
      [`http://${host}/b.png?size=2#x`, `http://${host}/b.png?size=2#x`],
      ['not-allowed'],
      [`http://${host}/etc/passwd`, `http://${host}/etc/passwd`],
      ['not-allowed'],
      ['not-allowed'],
    ]);
    await expect(list(`http://${host}/lists/none.txt`)).rejects.toMatchObject({ code: 'not-found' });
    await expect(list('https://elsewhere.org/train.txt')).rejects.toThrow(/allow it by --allow-hosts elsewhere.org/);
  });

  it('reads shards by ranges, several by braces, and names one that is not there', async () => {
    const tar = await readFile(`${fixtures}gnu.tar`);
    answers.set('/0.tar', serve(tar));
    answers.set('/1.tar', serve(tar));
    const found = await list(`http://${host}/{0..2}.tar?key=1`);
    const images = found.filter(({ kind }) => kind === 'image');
    expect(images).toHaveLength(14);
    expect(images[0]!.path).toBe(`${host}/0.tar?key=1/000000.png`);
    expect(found.at(-1)).toMatchObject({ kind: 'skipped', reason: 'not-found', path: `${host}/2.tar?key=1` });
    const bytes = await storeOf().read(images[8]!.uri);
    expect(Buffer.from(bytes).subarray(1, 4).toString()).toBe('PNG');
  });

  it('says that a server knows no ranges', async () => {
    answers.set('/whole.tar', (_, response) => response.end(Buffer.alloc(2 ** 20)));
    await expect(list(`http://${host}/whole.tar`)).rejects.toThrow(
      /no images .*(knows no byte ranges|not tell its size)/,
    );
  });

  it('stops when told to', async () => {
    answers.set('/silent.png', () => undefined);
    const stopping = new AbortController();
    const reading = storeOf().read(`http://${host}/silent.png`, { signal: stopping.signal });
    setTimeout(() => stopping.abort(), 50);
    await expect(reading).rejects.toMatchObject({ name: 'AbortError' });
  });
});

async function listening(server: Server, address: string): Promise<string> {
  server.listen(0, address);
  await once(server, 'listening');
  return `${address}:${(server.address() as AddressInfo).port}`;
}
