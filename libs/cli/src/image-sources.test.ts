import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Summary } from '@mpa/console';
import type { Annotation } from '@mpa/contracts';
import { annotationPrompt } from '@mpa/prompts';
import { topics } from '@mpa/service-kit';
import { openEmbeddedStreams } from '@mpa/streams';
import { loadTensorflow } from '@mpa/tensorflow';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { lastObject, runMpa } from './run-mpa.fixture.js';
import { writeSpeakingCheckpoint } from './speaking-checkpoint.fixture.js';

const student = fileURLToPath(new URL('../../../test/fixtures/vlm/smolvlm-a/', import.meta.url));
const shards = fileURLToPath(new URL('../../storage/fixtures/', import.meta.url));
const work = mkdtempSync(join(tmpdir(), 'mpa-sources-'));
const teacher = join(work, 'teacher');
const web = join(work, 'web');
let server: Server;
let host: string;

beforeAll(async () => {
  await loadTensorflow();
  const oracle = readdirSync(join(student, 'images')).map((name) => join(student, 'images', name));
  const lines = [
    { prompt: annotationPrompt('chartqa'), answer: 'Question: What is drawn? Answer: a cat' },
    { prompt: 'What is drawn?', answer: 'a cat' },
  ];
  await writeSpeakingCheckpoint(teacher, student, lines, oracle);
  mkdirSync(web);
  cpSync(join(shards, 'gnu.tar'), join(web, 'shard.tar'));
  cpSync(join(shards, 'dataset.parquet'), join(web, 'rows.parquet'));
  const shape = (width: number, height: number, background: string) => ({ create: { width, height, channels: 3 as const, background } }); // prettier-ignore
  // Put together before it is made smaller: sharp resizes first.
  const whole = sharp(shape(300, 200, '#468')).composite([{ input: shape(120, 120, '#fc8'), left: 30, top: 30 }]);
  const drawn = sharp(await whole.png().toBuffer());
  await drawn.clone().png().toFile(join(web, 'drawn.png'));
  await drawn.clone().resize(180).jpeg().toFile(join(web, 'smaller.jpg'));
  writeFileSync(join(web, 'large.png'), Buffer.alloc(2 ** 21));
  const references = ['drawn.png', 'smaller.jpg', 'gone.png', 'large.png', 'shard.tar', 'rows.parquet', 'https://elsewhere.org/x.png']; // prettier-ignore
  writeFileSync(
    join(web, 'list.jsonl'),
    references.map((image) => `${JSON.stringify({ image })}\n`).join('') + 'bad\n',
  );
  server = createServer(({ url, headers }, response) => {
    const name = url!.slice(1);
    if (!readdirSync(web).includes(name)) return response.writeHead(404).end();
    const content = readFileSync(join(web, name));
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? [];
    if (from === undefined) return response.end(content);
    const part = content.subarray(Number(from), Number(to) + 1);
    response.writeHead(206, { 'content-range': `bytes ${from}-${Number(from) + part.length - 1}/${content.length}` });
    return response.end(part);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
}, 120_000);
afterAll(() => {
  server.closeAllConnections();
  server.close();
  rmSync(work, { recursive: true });
});

async function annotationsOf(run: string): Promise<Annotation[]> {
  const streams = openEmbeddedStreams(join(work, run, 'streams'));
  try {
    const found: Annotation[] = [];
    for await (const record of streams.readAll(topics.annotations.name)) found.push(topics.annotations.decode(record));
    return found;
  } finally {
    await streams.close();
  }
}

it('levels on images of a web server, in files and shards, and skips with a reason what cannot be had', async () => {
  const config = join(work, 'config.yaml');
  writeFileSync(
    config,
    'images: { privateNetworks: [127.0.0.1/32], maxMegabytes: 1 }\nannotator: { duplicates: { match: near } }\n',
  );
  const args = ['--task', 'chartqa', '--teacher', teacher, '--student', student, '--out', join(work, 'run'), '--json'];
  const source = ['align', '--images', `http://${host}/list.jsonl`];
  const refused = await runMpa(...source, ...args, '--config', config);
  expect(refused).toMatchObject({ code: 1, stderr: `mpa: ${host} is no allowed host; allow it by --allow-hosts ${host}\n` }); // prettier-ignore
  rmSync(join(work, 'run'), { recursive: true });

  const ended = await runMpa(...source, ...args, '--config', config, '--allow-hosts', host);
  expect(ended).toMatchObject({ code: 0 });
  const summary = lastObject(ended) as unknown as Summary;
  const { duplicate, ...skipped } = summary.skipped;
  // Of the shards: an empty member, a null and a cell without bytes.
  expect(skipped).toEqual({ 'not-found': 1, 'too-large': 1, 'not-allowed': 1, 'bad-line': 1, empty: 3 });
  // The smaller copy, and five rows that are members of the other shard too; plain colours may look alike besides.
  expect(duplicate).toBeGreaterThanOrEqual(6);
  expect(summary.images).toBe(4 + 8 + 7 + 2);
  expect(summary.annotated + duplicate! + 7).toBe(summary.images);

  const annotations = await annotationsOf('run');
  const kept = new Set(annotations.filter(({ skipped: cause }) => !cause).map(({ sampleId }) => sampleId));
  for (const { duplicateOf, skipped: cause } of annotations.filter(({ duplicateOf: first }) => first !== '')) {
    expect(kept).toContain(duplicateOf);
    expect(cause).toMatchObject({ reason: 'duplicate', detail: `it looks like sample ${duplicateOf}` });
  }
  // The trainer and the report read the images again by the same addresses.
  expect(summary.train.steps).toBeGreaterThan(0);
  expect(readFileSync(join(work, 'run/report.html'), 'utf8')).toContain('src="data:image/jpeg');
}, 300_000);
