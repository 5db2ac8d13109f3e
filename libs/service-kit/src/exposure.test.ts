import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { Authority, writePems } from '@mpa/contracts/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { echo } from './echo-service.fixture.js';
import { createLogger } from './logger.js';
import { rawCall } from './raw-call.fixture.js';
import { startService, type RunningService } from './start-service.js';

const folder = mkdtempSync(join(tmpdir(), 'mpa-exposure-'));
const lines: string[] = [];
const logger = createLogger('test', 'info', { write: (line) => void lines.push(line) });
const closing: (() => unknown)[] = [];
let tls: { cert: string; key: string; ca: string };

beforeAll(async () => {
  const authority = await Authority.create('ours');
  tls = writePems(folder, await authority.issue(), authority.cert);
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  lines.length = 0;
});
afterAll(() => rmSync(folder, { recursive: true }));

async function start(config: object): Promise<RunningService> {
  const running = await startService(echo, { greeting: 'hello', ...config }, { logger });
  closing.push(() => running.stop());
  return running;
}

const EVERYWHERE = { listen: '0.0.0.0:0' };

describe('a service that other machines reach', () => {
  it.each([
    ['without encryption', { places: { read: [] } }, /nothing is encrypted: set tls, or insecure: true/],
    ['without places', { insecure: true }, /places\.read and places\.write, or places: any/],
    [
      'with an unknown folder',
      { insecure: true, places: { read: ['/nowhere'] } },
      /places: there is no folder \/nowhere/,
    ],
    ['with a broken place on Kafka', { insecure: true, places: { write: ['kafka://here'] } }, /is no place on Kafka/],
  ])('does not start %s', async (_, config, message) => {
    const failed = start({ ...EVERYWHERE, ...config });
    await expect(failed).rejects.toMatchObject({
      name: 'ConfigError',
      message: expect.stringMatching(message) as string,
    });
  });

  it.each([
    [
      'what is not encrypted',
      { insecure: true, places: { read: [] }, callers: [{ tokenVariable: 'T' }] },
      'nothing is encrypted',
    ],
    ['that whoever reaches it may call', { insecure: true, places: { read: [] } }, 'whoever reaches it may call'],
    ['that callers may name any place', { insecure: true, places: 'any' }, 'callers may name any place'],
  ])('says in its log %s', async (_, config, message) => {
    const running = await startService(echo, { greeting: 'hello', ...EVERYWHERE, ...config } as never, {
      logger,
      env: { T: 'a-token-of-enough-characters' },
    });
    closing.push(() => running.stop());
    expect(lines.join('')).toContain(message);
  });

  it('says in its log that whoever reaches it may call where certificates may be left out', async () => {
    await start({ ...EVERYWHERE, tls: { ...tls, requireClient: false }, places: { read: [folder] } });
    expect(lines.join('')).toContain('whoever reaches it may call');
  });

  it('says nothing where all is closed', async () => {
    await start({ ...EVERYWHERE, tls, places: { read: [folder] } });
    expect(lines.filter((line) => line.includes('"level":40'))).toEqual([]);
  });
});

it('on loopback nothing needs to be said', async () => {
  const { address } = await start({});
  expect(address).toMatch(/^127\.0\.0\.1:\d+$/);
  expect(lines.filter((line) => line.includes('"level":40'))).toEqual([]);
});

it('a second address answers health without encryption, and nothing else', async () => {
  const running = await start({ tls, listenHealth: '127.0.0.1:0' });
  const answer = await rawCall(running.healthAddress!, '/grpc.health.v1.Health/Check');
  // HealthCheckResponse with status SERVING: field 1, varint 1.
  expect(answer).toEqual({ code: status.OK, messages: [Buffer.of(8, 1)] });
  const score = await rawCall(running.healthAddress!, '/mpa.v1.ModelService/Score');
  expect(score.code).toBe(status.UNIMPLEMENTED);
});
