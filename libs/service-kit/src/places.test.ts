import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createClient, WorkerService } from '@mpa/contracts';
import { afterAll, describe, expect, it } from 'vitest';
import { echo } from './echo-service.fixture.js';
import { createLogger } from './logger.js';
import { Places } from './places.js';
import { startService } from './start-service.js';

const work = mkdtempSync(join(tmpdir(), 'mpa-places-'));
afterAll(() => rmSync(work, { recursive: true }));
const at = (...path: string[]): string => join(work, ...path);
for (const folder of ['data', 'runs', 'runs-of-others', 'secret']) mkdirSync(at(folder));
writeFileSync(at('secret', 'key'), 'k');
symlinkSync(at('secret'), at('runs', 'out'));
symlinkSync(at('nowhere'), at('runs', 'dangling'));
symlinkSync(at('runs'), at('link-to-runs'));

const config = {
  read: [at('data'), 's3://corpus/photos', 'https://models.example/v1'],
  write: [at('link-to-runs'), 'kafka://broker-1:9092,broker-2:9092'],
};

describe('places that a caller may name', () => {
  it.each([
    at('data'),
    at('data', 'new', 'deeper'),
    pathToFileURL(at('data', 'a b.png')).href,
    at('runs', 'x'),
    at('link-to-runs', 'x'),
    's3://corpus/photos/a.png',
    'https://models.example/v1#large',
    'https://MODELS.example:443/v1/chat',
    'kafka://broker-2:9092/any-run',
  ])('may be read: %s', async (place) => {
    await (await Places.of(config)).checkRead(place);
  });

  it.each([
    '/etc/passwd',
    'file:///etc/passwd',
    at('runs-of-others'),
    at('data', '..', 'secret'),
    at('runs', 'out', 'key'),
    at('runs', 'out', 'new'),
    at('runs', 'dangling'),
    at('runs', 'dangling', 'new'),
    's3://corpus/photos-of-others/a.png',
    's3://corpus/photos/../secret.png',
    's3://other/photos/a.png',
    'http://169.254.169.254/latest/meta-data#x',
    'https://models.example@evil.example/v1#x',
    'https://models.example.evil.example/v1#x',
    'https://models.example/v1/%2e%2e/admin#x',
    'kafka://evil:9092/run',
    'kafka://broker-1:9092,evil:9092/run',
  ])('may not be read: %s', async (place) => {
    const places = await Places.of(config);
    await expect(places.checkRead(place)).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
    await expect(places.checkWrite(place)).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
  });

  it('are written only where writing is allowed', async () => {
    const places = await Places.of(config);
    await expect(places.checkWrite(at('data', 'x'))).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
    await places.checkWrite(at('runs', 'new', 'checkpoint'), 'kafka://broker-1:9092/run');
  });

  it('are all there are, if that is said', async () => {
    const places = await Places.of('any');
    await places.checkWrite('/etc/passwd');
    expect(places.images).toBeUndefined();
  });
});

it('a worker opens no log outside of them', async () => {
  const raw = { greeting: '', places: { write: [at('runs')] } };
  const running = await startService(echo, raw, { logger: createLogger('test', 'silent') });
  const client = createClient(WorkerService, running.address);
  try {
    for (const streams of [at('secret', 'log'), at('runs', 'out', 'log'), 'kafka://evil:9092/run']) {
      const next = client.consume({ streams })[Symbol.asyncIterator]().next();
      await expect(next).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
    }
  } finally {
    client.close();
    await running.stop();
  }
});
