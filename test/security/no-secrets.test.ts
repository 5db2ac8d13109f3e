import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { createClient, ModelService } from '@mpa/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { drawImages } from '../endpoint/annotate-images.js';
import { startChatServer, type ChatServer } from '../endpoint/chat-server.js';

const mpa = fileURLToPath(new URL('../../libs/cli/bin/mpa.js', import.meta.url));
const student = fileURLToPath(new URL('../fixtures/vlm/smolvlm-a/', import.meta.url));
const work = mkdtempSync(join(tmpdir(), 'mpa-secrets-'));
/** What every secret of this test has in it. */
const MARK = 'nobody-may-see-this';
const env = {
  OPENAI_API_KEY: `sk-${MARK}-1`,
  MPA_TOKEN: `${MARK}-token-2`,
  MPA_KAFKA_USERNAME: 'mpa',
  MPA_KAFKA_PASSWORD: `${MARK}-3 with "quotes"`,
  AWS_SECRET_ACCESS_KEY: `${MARK}-4`,
};
const SLOW = 300_000;
let server: ChatServer;

beforeAll(async () => {
  // A hostile endpoint: it sends the key back, in its answers and in its refusals.
  server = await startChatServer({
    // Not about the image of the first request, by which it is found out whether the endpoint is there at all.
    refuse: ({ index, image, authorization }) =>
      index > 3 && index % 5 === 0 && image !== server.seen[0]!.image
        ? { status: 400, text: `I do not take ${authorization}` }
        : undefined,
  });
  const images = join(work, 'images');
  await drawImages(images, 6);
  const wrong = ['https', 'ftp', 's3'].map((scheme) => `${scheme}://user:${MARK}@example.org/x.png`);
  writeFileSync(join(work, 'list.txt'), [...readdirSync(images).map((name) => `images/${name}`), ...wrong].join('\n'));
  writeFileSync(
    join(work, 'align.yaml'),
    JSON.stringify({
      annotator: { diversity: { maxShare: 1 }, endpoint: { traffic: { pause: 0.02, longestPause: 0.1 } } },
      trainer: { training: { epochs: 1 } },
    }),
  );
});
afterAll(async () => {
  await server.close();
  rmSync(work, { recursive: true });
});

function start(args: readonly string[], more: NodeJS.ProcessEnv = {}) {
  return spawn(process.execPath, [mpa, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env, ...more },
  });
}

async function run(
  args: readonly string[],
  more: NodeJS.ProcessEnv = {},
): Promise<{ code: number | null; output: string }> {
  const child = start(args, more);
  const output = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: child.exitCode, output: output.slice(0, 2).join('\n') };
}

/** Files of a folder that hold the mark, in whatever format. */
function filesWithMark(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return entries.map((entry) => join(entry.parentPath, entry.name)).filter((file) => readFileSync(file).includes(MARK));
}

const align = (...more: string[]): string[] => ['align', '--task', 'chartqa', '--student', student, '--config', join(work, 'align.yaml'), ...more]; // prettier-ignore
const teacher = (): string[] => ['--teacher', server.url, '--teacher-model', 'tiny'];

it('a run keeps no secret: not in records, logs, reports or its output', { timeout: SLOW }, async () => {
  const out = join(work, 'run');
  const ended = await run(align('--images', join(work, 'list.txt'), ...teacher(), '--out', out, '--json'));
  expect(ended.code, ended.output).toBe(0);
  expect(server.seen.some(({ authorization }) => authorization?.includes(MARK))).toBe(true);
  const { images, skipped } = JSON.parse(ended.output.trim().split('\n')[0]!) as { images: number; skipped: object };
  expect([images, Object.keys(skipped)]).toEqual([9, expect.arrayContaining(['not-allowed', 'unsupported'])]);
  expect(ended.output).not.toContain(MARK);
  // The report, the log of LMDB, services.log and the rest are there, or this test would say nothing.
  for (const name of ['report.html', 'services.log', 'config.json', 'streams'])
    expect(readdirSync(out)).toContain(name);
  expect(filesWithMark(out)).toEqual([]);
  const analysed = await run(['analyze', out]);
  expect(analysed.output).not.toContain(MARK);
  expect(filesWithMark(out)).toEqual([]);
});

describe('a command that fails shows no secret', { timeout: SLOW }, () => {
  it.each([
    ['images at a URL with a password', () => align('--images', `https://user:${MARK}@example.org/list.txt`, ...teacher(), '--out', join(work, 'a')), 2], // prettier-ignore
    ['a teacher at such a URL', () => align('--images', join(work, 'images'), '--teacher', `http://user:${MARK}@127.0.0.1:1/v1`, '--teacher-model', 'x', '--out', join(work, 'b')), 2], // prettier-ignore
    ['a model at such a URL', () => ['answer', '--model', `http://user:${MARK}@127.0.0.1:1/v1#m`, '--image', join(work, 'images', '0.png'), '--question', '?'], 2], // prettier-ignore
    ['brokers with a password', () => ['topics', '--brokers', `user:${MARK}@127.0.0.1:1`, '--prefix', 'p'], 2],
    ['services that would be told a token unencrypted', () => align('--images', join(work, 'images'), ...teacher(), '--out', join(work, 'c'), '--endpoints', endpoints()), 1], // prettier-ignore
  ])('%s', async (_, args, code) => {
    const ended = await run(args());
    expect(ended.output).not.toContain(MARK);
    expect(ended.code, ended.output).toBe(code);
  });

  it('nor where it shows its stack', async () => {
    const ended = await run(['answer', '--model', `${server.url}/${MARK}-4#m`, '--image', '/none', '--question', '?'], {
      MPA_DEBUG: '1',
    });
    expect(ended.code).not.toBe(0);
    expect(ended.output).not.toContain(MARK);
  });
});

it('a service logs no secret that a caller sends it, and shows it to nobody', { timeout: SLOW }, async () => {
  mkdirSync(join(work, 'data'));
  const config = join(work, 'parity.json');
  const callers = [{ tokenVariable: 'MPA_TOKEN' }];
  const model = { checkpoint: student, cacheDir: join(work, 'graphs'), threads: 1 };
  writeFileSync(config, JSON.stringify({ model, callers, logLevel: 'trace', places: { read: [join(work, 'data')] } }));
  const child = start(['serve', 'parity', '--config', config]);
  const lines: string[] = [];
  let address: string | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    address = (JSON.parse(line) as { address?: string }).address;
    if (address !== undefined) break;
  }
  const rest = text(child.stderr);
  const client = createClient(ModelService, address!, { token: () => env.MPA_TOKEN });
  const said: string[] = [];
  for (const value of [`https://user:${MARK}@example.org/x.png`, `/nowhere/${env.MPA_TOKEN}`]) {
    const image = { source: { case: 'uri' as const, value } };
    await client.answer({ image, questions: ['?'] }).catch((error: Error) => said.push(error.message));
  }
  child.kill('SIGTERM');
  await once(child, 'exit');
  client.close();
  const output = [...lines, await rest].join('\n');
  expect(said).toHaveLength(2);
  expect(said[0]).not.toContain(MARK);
  expect(output).not.toContain(MARK);
});

function endpoints(): string {
  const file = join(work, 'endpoints.json');
  writeFileSync(file, JSON.stringify({ parity: '192.0.2.1:50052' }));
  return file;
}
