import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { Authority, writePems } from '@mpa/contracts/testing';
import { parity } from '@mpa/parity';
import { createLogger, startService, type RunningService } from '@mpa/service-kit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { drawImages } from '../endpoint/annotate-images.js';
import { startChatServer, type ChatServer } from '../endpoint/chat-server.js';

const mpa = fileURLToPath(new URL('../../libs/cli/bin/mpa.js', import.meta.url));
const student = fileURLToPath(new URL('../fixtures/vlm/smolvlm-a/', import.meta.url));
const work = mkdtempSync(join(tmpdir(), 'mpa-endpoints-'));
const TOKEN = 'a-token-of-enough-characters';
let running: RunningService;
let endpoint: ChatServer;
let client: { cert: string; key: string; ca: string };

beforeAll(async () => {
  const authority = await Authority.create('ours');
  const tls = writePems(join(work, 'server'), await authority.issue({ dns: ['parity'] }), authority.cert);
  client = writePems(join(work, 'client'), await authority.issue({ dns: ['somebody'] }), authority.cert);
  writeFileSync(join(work, 'token'), `${TOKEN}\n`);
  writeFileSync(join(work, 'wrong'), `${TOKEN}!\n`);
  const model = { checkpoint: student, cacheDir: join(work, 'graphs'), threads: 1 };
  const places = { read: [work], write: [work] };
  const config = { model, tls, places, callers: [{ tokenFile: join(work, 'token') }] };
  running = await startService(parity, config, { logger: createLogger('test', 'silent') });
  endpoint = await startChatServer();
  await drawImages(join(work, 'images'), 3);
});
afterAll(async () => {
  await running.stop();
  await endpoint.close();
  rmSync(work, { recursive: true });
});

async function align(endpoints: object, out: string): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const [file, config] = [join(work, `${out}.json`), join(work, 'align.json')];
  writeFileSync(file, JSON.stringify({ parity: running.address, ...endpoints }));
  writeFileSync(
    config,
    JSON.stringify({ annotator: { diversity: { maxShare: 1 } }, trainer: { training: { epochs: 1 } } }),
  );
  const models = ['--student', student, '--teacher', endpoint.url, '--teacher-model', 'tiny'];
  const run = [
    '--images',
    join(work, 'images'),
    '--task',
    'chartqa',
    '--out',
    join(work, out),
    '--config',
    config,
    '--json',
  ];
  const child = spawn(process.execPath, [mpa, 'align', ...models, ...run, '--endpoints', file], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: child.exitCode, stdout, stderr };
}

it(
  'mpa align works with a service that it gets into by certificate and token, and with no other',
  { timeout: 300_000 },
  async () => {
    const tls = { ...client, serverName: 'parity' };
    const ended = await align({ tls, tokenFile: join(work, 'token') }, 'right');
    expect(ended, ended.stderr).toMatchObject({ code: 0 });
    expect(JSON.parse(ended.stdout)).toMatchObject({ images: 3, annotated: 3 });
    const wrong = await align({ tls, tokenFile: join(work, 'wrong') }, 'wrong-token');
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toContain('show a certificate or a token');
    const missing = await align({ tls: { ...tls, key: join(work, 'none') } }, 'no-key');
    expect(missing.code).toBe(2);
    expect(missing.stderr).toContain(`tls: cannot read ${join(work, 'none')}`);
  },
);
