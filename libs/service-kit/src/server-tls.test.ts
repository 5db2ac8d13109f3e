import { mkdtempSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { clientCredentials, createClient, ModelService, type ClientOptions } from '@mpa/contracts';
import { Authority, writePems } from '@mpa/contracts/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { echo } from './echo-service.fixture.js';
import { createLogger } from './logger.js';
import { startService } from './start-service.js';

const folder = mkdtempSync(join(tmpdir(), 'mpa-tls-'));
const lines: { msg: string; err?: { message: string } }[] = [];
const logger = createLogger('test', 'info', { write: (line) => void lines.push(JSON.parse(line) as { msg: string }) });
const closing: (() => unknown)[] = [];
let ours: Authority;
let others: Authority;

beforeAll(async () => {
  [ours, others] = await Promise.all([Authority.create('ours'), Authority.create('others')]);
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  lines.length = 0;
});
afterAll(() => rmSync(folder, { recursive: true }));

async function serve(tls: object): Promise<string> {
  const running = await startService(echo, { greeting: 'hello', tls: { reloadSeconds: 0.05, ...tls } } as never, {
    logger,
  });
  closing.push(() => running.stop());
  return running.address;
}

/** One call on a connection of its own. */
async function call(address: string, options: ClientOptions): Promise<string | undefined> {
  const client = createClient(ModelService, address, { timeoutMs: 20_000, ...options });
  try {
    return (await client.answer({ questions: ['you'] })).answers[0]?.text;
  } finally {
    client.close();
  }
}

/** Serial number of the certificate that a server shows. */
function serialAt(address: string, ca: string): Promise<string> {
  const [host, port] = address.split(':');
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: Number(port), ca, ALPNProtocols: ['h2'] }, () => {
      resolve(socket.getPeerCertificate().serialNumber);
      socket.destroy();
    }).once('error', reject);
  });
}

describe('a service with certificates', () => {
  it('answers callers that ours vouches for, and nobody else', async () => {
    const server = writePems(join(folder, 'server'), await ours.issue(), ours.cert);
    const known = writePems(join(folder, 'known'), await ours.issue({ dns: ['mpa-align'] }), ours.cert);
    const stranger = writePems(join(folder, 'stranger'), await others.issue({ dns: ['mpa-align'] }), ours.cert);
    const address = await serve(server);
    expect(await call(address, { credentials: await clientCredentials(known) })).toBe('hello you');
    const refused = { code: 'UNAVAILABLE' };
    await expect(call(address, { credentials: await clientCredentials(stranger) })).rejects.toMatchObject(refused);
    await expect(call(address, { credentials: await clientCredentials({ ca: server.ca }) })).rejects.toMatchObject(
      refused,
    );
    await expect(call(address, {})).rejects.toMatchObject(refused);
  });

  it('is not believed by a caller that does not trust who vouches for it, or knows it by another name', async () => {
    const server = writePems(join(folder, 'believed'), await ours.issue({ dns: ['annotator'] }), ours.cert);
    const address = await serve({ cert: server.cert, key: server.key });
    const credentials = await clientCredentials({ ca: server.ca });
    expect(await call(address, { credentials, serverName: 'annotator' })).toBe('hello you');
    await expect(call(address, { credentials })).rejects.toThrow(/127\.0\.0\.1/);
    const trusting = writePems(join(folder, 'trusting'), await others.issue(), others.cert);
    await expect(
      call(address, { credentials: await clientCredentials({ ca: trusting.ca }), serverName: 'annotator' }),
    ).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('takes a replaced certificate for new connections, and leaves those that are open alone', async () => {
    const pems = join(folder, 'rotated');
    const server = writePems(pems, await ours.issue(), ours.cert);
    const mine = writePems(join(folder, 'mine'), await ours.issue(), ours.cert);
    const address = await serve(server);
    const client = createClient(ModelService, address, { credentials: await clientCredentials(mine) });
    closing.push(() => client.close());
    await client.score({});
    const before = await serialAt(address, ours.cert);
    writePems(pems, await ours.issue(), ours.cert);
    await expect.poll(() => serialAt(address, ours.cert)).not.toBe(before);
    await client.score({});
    expect(await call(address, { credentials: await clientCredentials(mine) })).toBe('hello you');
    expect(lines.map(({ msg }) => msg)).toContain('the certificates were replaced');
  });

  it('turns callers away that a replaced authority does not vouch for', async () => {
    const pems = join(folder, 'authority');
    const address = await serve(writePems(pems, await ours.issue(), ours.cert));
    const old = { credentials: await clientCredentials(writePems(join(folder, 'old'), await ours.issue(), ours.cert)) };
    expect(await call(address, old)).toBe('hello you');
    writeFileSync(join(pems, 'ca.pem'), others.cert);
    await expect.poll(() => call(address, old).catch((error: Error) => error.name)).toBe('RpcError');
    const fresh = writePems(join(folder, 'fresh'), await others.issue(), ours.cert);
    expect(await call(address, { credentials: await clientCredentials(fresh) })).toBe('hello you');
  });

  it('follows links, by which Kubernetes replaces secrets', async () => {
    const first = writePems(join(folder, '..1'), await ours.issue(), ours.cert);
    writePems(join(folder, '..2'), await ours.issue(), ours.cert);
    const link = join(folder, '..data');
    symlinkSync('..1', link);
    const address = await serve({ cert: join(link, 'cert.pem'), key: join(link, 'key.pem') });
    const before = await serialAt(address, ours.cert);
    unlinkSync(link);
    symlinkSync('..2', link);
    await expect.poll(() => serialAt(address, ours.cert)).not.toBe(before);
    expect(first.cert).not.toBe('');
  });

  it.each([
    [
      'a certificate with the key of another one',
      'is not the key of the certificate',
      (other: { cert: string }) => ({ cert: other.cert }),
    ],
    [
      'half a certificate',
      'each of them whole',
      ({ cert }: { cert: string }) => ({ cert: cert.slice(0, cert.length / 2) }),
    ],
    ['half a key', 'holds no private key', ({ key }: { key: string }) => ({ key: key.slice(0, key.length / 2) })],
    ['no authority', 'each of them whole', () => ({ ca: '' })],
  ])('keeps what it has when it finds %s, and says so once', async (name, said, part) => {
    const pems = join(folder, name);
    const address = await serve(writePems(pems, await ours.issue(), ours.cert));
    const before = await serialAt(address, ours.cert);
    const other = { ...(await ours.issue()), ca: ours.cert };
    for (const [file, text] of Object.entries(part(other) as Record<string, string>))
      writeFileSync(join(pems, `${file}.pem`), text);
    const warnings = (): string[] => lines.flatMap(({ err }) => err?.message ?? []);
    await expect.poll(warnings).toHaveLength(1);
    expect(warnings()[0]).toContain(said);
    expect(await serialAt(address, ours.cert)).toBe(before);
    writePems(pems, other, ours.cert);
    await expect.poll(() => serialAt(address, ours.cert)).not.toBe(before);
    // While the files are replaced, another look may find them in between.
    expect(warnings().filter((message) => message.includes(said))).toHaveLength(1);
  });

  it('does not start with files that cannot be used, and names them', async () => {
    const pems = writePems(join(folder, 'wrong'), await ours.issue(), ours.cert);
    writeFileSync(pems.key, (await ours.issue()).key);
    await expect(serve(pems)).rejects.toMatchObject({
      name: 'ConfigError',
      message: expect.stringContaining(pems.key) as string,
    });
    await expect(serve({ ...pems, cert: '/nowhere.pem' })).rejects.toThrow('tls: cannot read /nowhere.pem');
  });
});

it('a client takes a replaced certificate for its next connection', async () => {
  const pems = join(folder, 'client');
  const server = writePems(join(folder, 'for-client'), await ours.issue(), ours.cert);
  const address = await serve(server);
  const credentials = await clientCredentials(writePems(pems, await others.issue(), ours.cert), { everySeconds: 0.05 });
  const client = createClient(ModelService, address, { credentials });
  closing.push(() => client.close());
  await expect(client.score({})).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  writePems(pems, await ours.issue(), ours.cert);
  await expect
    .poll(() =>
      client.score({}).then(
        () => 'answered',
        () => 'refused',
      ),
    )
    .toBe('answered');
});
