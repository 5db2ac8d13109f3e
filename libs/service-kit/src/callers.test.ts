import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { status, type ChannelCredentials } from '@grpc/grpc-js';
import {
  clientCredentials,
  createClient,
  implement,
  ModelService,
  WorkerService,
  type ClientOptions,
} from '@mpa/contracts';
import { Authority, writePems, type Named } from '@mpa/contracts/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createLogger } from './logger.js';
import { rawCall } from './raw-call.fixture.js';
import type { Service } from './service.js';
import { startService } from './start-service.js';

const logger = createLogger('test', 'silent');
const folder = mkdtempSync(join(tmpdir(), 'mpa-callers-'));
const closing: (() => unknown)[] = [];
/** Headers that handlers have seen. */
const headers: Readonly<Record<string, string>>[] = [];
const TOKEN = 'a-token-of-enough-characters';
let authority: Authority;

const service: Service<z.ZodObject> = {
  name: 'answering',
  config: z.strictObject({}),
  start: async (_, { implementOptions }) => ({
    implementations: [
      implement(
        ModelService,
        {
          answer: async () => ({}),
          score: async (_request, call) => {
            headers.push(call.headers);
            return {};
          },
        },
        implementOptions,
      ),
      implement(
        WorkerService,
        {
          async *consume() {
            yield {};
          },
        },
        implementOptions,
      ),
    ],
    close: async () => undefined,
  }),
};

beforeAll(async () => {
  authority = await Authority.create('ours');
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});
afterAll(() => rmSync(folder, { recursive: true }));

async function serve(config: Record<string, unknown>, env: Record<string, string> = {}): Promise<string> {
  const running = await startService(service, config, { logger, env });
  closing.push(() => running.stop());
  return running.address;
}

async function withCertificates(callers: object[], tls: object = {}): Promise<string> {
  return serve({
    tls: { ...writePems(join(folder, 'server'), await authority.issue(), authority.cert), ...tls },
    callers,
  });
}

async function shows(named: Named): Promise<ChannelCredentials> {
  return clientCredentials(writePems(join(folder, 'client'), await authority.issue(named), authority.cert));
}

/** The status of a call to each of the two services. */
async function statuses(address: string, options: ClientOptions): Promise<string[]> {
  const model = createClient(ModelService, address, options);
  const worker = createClient(WorkerService, address, options);
  const next = worker.consume({ streams: 's' })[Symbol.asyncIterator]().next();
  try {
    const calls = [model.score({}), next] as const;
    return await Promise.all(
      calls.map((call: Promise<unknown>) =>
        call.then(
          () => 'OK',
          (error: { code: string }) => error.code,
        ),
      ),
    );
  } finally {
    model.close();
    worker.close();
  }
}

describe('callers by certificate', () => {
  it.each([
    ['a DNS name', { certificate: 'mpa-align' }, { commonName: 'x', dns: ['other', 'mpa-align'] }, 'OK'],
    ['a SPIFFE name', { certificate: 'spiffe://here/mpa' }, { commonName: 'x', uri: ['spiffe://here/mpa'] }, 'OK'],
    ['a common name, where there is no other', { certificate: 'mpa-align' }, { commonName: 'mpa-align' }, 'OK'],
    [
      'a common name beside others',
      { certificate: 'mpa-align' },
      { commonName: 'mpa-align', dns: ['other'] },
      'PERMISSION_DENIED',
    ],
    [
      'an unknown name',
      { certificate: 'mpa-align' },
      { commonName: 'x', dns: ['mpa-align.evil.example'] },
      'PERMISSION_DENIED',
    ],
    [
      'a name within a name',
      { certificate: 'mpa-align' },
      { commonName: 'x', uri: ['spiffe://x/", DNS:mpa-align'] },
      'PERMISSION_DENIED',
    ],
  ])('are known by %s', async (_, caller, named, expected) => {
    const address = await withCertificates([caller]);
    expect(await statuses(address, { credentials: await shows(named) })).toEqual([expected, expected]);
  });

  it('are held to their services', async () => {
    const address = await withCertificates([
      { certificate: 'reader', services: ['mpa.v1.ModelService'] },
      { certificate: 'worker', services: ['mpa.v1.WorkerService'] },
    ]);
    const of = async (name: string): Promise<string[]> =>
      statuses(address, { credentials: await shows({ dns: [name] }) });
    expect(await of('reader')).toEqual(['OK', 'PERMISSION_DENIED']);
    expect(await of('worker')).toEqual(['PERMISSION_DENIED', 'OK']);
  });

  it('may come with a token where no certificate is required', async () => {
    writeFileSync(join(folder, 'token'), `${TOKEN}\n`);
    const address = await withCertificates([{ certificate: 'mpa-align' }, { tokenFile: join(folder, 'token') }], {
      requireClient: false,
    });
    const bare = { credentials: await clientCredentials({ ca: join(folder, 'client', 'ca.pem') }) };
    expect(await statuses(address, bare)).toEqual(['UNAUTHENTICATED', 'UNAUTHENTICATED']);
    expect(await statuses(address, { ...bare, token: () => TOKEN })).toEqual(['OK', 'OK']);
    expect(await statuses(address, { ...bare, token: () => `${TOKEN}!` })).toEqual([
      'UNAUTHENTICATED',
      'UNAUTHENTICATED',
    ]);
    const known = { credentials: await shows({ dns: ['mpa-align'] }) };
    expect(await statuses(address, known)).toEqual(['OK', 'OK']);
  });
});

describe('callers by token', () => {
  const callers = [{ tokenVariable: 'A' }, { tokenVariable: 'B', services: ['mpa.v1.ModelService'] }];
  const env = { A: TOKEN, B: `${TOKEN}-2` };

  it('are told apart, and held to their services', async () => {
    const address = await serve({ callers }, env);
    expect(await statuses(address, {})).toEqual(['UNAUTHENTICATED', 'UNAUTHENTICATED']);
    expect(await statuses(address, { token: () => env.A })).toEqual(['OK', 'OK']);
    expect(await statuses(address, { token: () => env.B })).toEqual(['OK', 'PERMISSION_DENIED']);
    expect(await statuses(address, { token: () => 'guessed' })).toEqual(['UNAUTHENTICATED', 'UNAUTHENTICATED']);
  });

  it('keep their token from the handlers', async () => {
    const address = await serve({ callers }, env);
    headers.length = 0;
    await statuses(address, { token: () => env.A });
    expect(headers).toHaveLength(1);
    expect(headers[0]).not.toHaveProperty('authorization');
  });

  it('leave health to anybody, and reflection to those who may call everything', async () => {
    const address = await serve({ callers }, env);
    expect(await rawCall(address, '/grpc.health.v1.Health/Check')).toMatchObject({ code: status.OK });
    const reflection = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo';
    expect(await rawCall(address, reflection)).toMatchObject({ code: status.UNAUTHENTICATED });
  });

  it.each([
    [{ tokenVariable: 'NONE' }, /callers\.0: NONE holds no token of at least 16 characters/],
    [{ tokenVariable: 'SHORT' }, /SHORT holds no token/],
    [{ tokenFile: '/nowhere' }, /cannot read \/nowhere/],
    [
      { tokenVariable: 'A', services: ['mpa.v1.Modelservice'] },
      /there is no mpa\.v1\.Modelservice here, only mpa\.v1\.ModelService/,
    ],
    [{ certificate: 'x' }, /callers by certificate need tls\.ca/],
    [{}, /give one of certificate, tokenVariable and tokenFile/],
    [{ certificate: 'x', tokenVariable: 'A' }, /give one of/],
  ])('are refused at the start as %j', async (caller, message) => {
    const failed = serve({ callers: [caller] }, { ...env, SHORT: 'short' });
    await expect(failed).rejects.toMatchObject({
      name: 'ConfigError',
      message: expect.stringMatching(message) as string,
    });
  });
});

it('a token does not travel unencrypted to another machine', () => {
  expect(() => createClient(ModelService, '192.0.2.1:50051', { token: () => TOKEN })).toThrow(
    /does not travel unencrypted/,
  );
  createClient(ModelService, '127.0.0.1:50051', { token: () => TOKEN }).close();
});
