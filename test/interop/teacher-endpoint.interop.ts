import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { writeWorld } from '@mpa/benchmarks';
import type { Summary } from '@mpa/console';
import type { Annotation } from '@mpa/contracts';
import { endpointConfig, modelConfig, RemoteModel, VisionModel, type Teacher } from '@mpa/inference';
import { topics } from '@mpa/service-kit';
import { ImageStore } from '@mpa/storage';
import { openEmbeddedStreams } from '@mpa/streams';
import { afterAll, describe, expect, it } from 'vitest';
import { transformersServe } from './transformers-serve.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const noise = join(root, 'test/fixtures/vlm/smolvlm-a');
const large = join(root, 'libs/benchmarks/models/starter-large');
const small = join(root, 'libs/benchmarks/models/starter-small');
const work = mkdtempSync(join(tmpdir(), 'mpa-transformers-serve-'));
afterAll(() => rmSync(work, { recursive: true }));

const MAX_NEW_TOKENS = 24;

/** What a teacher says to each prompt about each image. */
async function said<P, S>(
  teacher: Teacher<P, S>,
  images: readonly string[],
  prompts: readonly string[],
): Promise<string[]> {
  const loaded = images.map((file, i) =>
    teacher.load(
      { source: { case: 'uri', value: pathToFileURL(file).href } },
      { images: new ImageStore(), sampleId: `s${i}` },
    ),
  );
  const seen = await teacher.look(await Promise.all(loaded));
  const questions = seen.flatMap((image) => prompts.map((prompt) => ({ image, text: prompt })));
  return (await teacher.answer(questions, { purpose: 'answer' })).map(({ text: answer }) => answer);
}

/** Levels the small starter model on drawn images; resolves to the summary and what the teacher said of each image. */
async function align(
  run: string,
  images: string,
  ...teacher: string[]
): Promise<{ summary: Summary; annotations: object[] }> {
  const config = join(work, 'align.yaml');
  // The likeliest text alone: what is drawn cannot be the same on both sides.
  writeFileSync(config, 'annotator: { candidates: 1 }\ntrainer: { training: { epochs: 1 } }\n');
  const fixed = ['--images', images, '--task', 'chartqa', '--student', small, '--config', config, '--json'];
  const args = [
    join(root, 'libs/cli/bin/mpa.js'),
    'align',
    ...fixed,
    '--out',
    join(work, run),
    '--teacher',
    ...teacher,
  ];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [stdout] = await Promise.all([text(child.stdout), once(child, 'close')]);
  expect(child.exitCode).toBe(0);
  const streams = openEmbeddedStreams(join(work, run, 'streams'));
  try {
    const annotations: Annotation[] = [];
    for await (const record of streams.readAll(topics.annotations.name))
      annotations.push(topics.annotations.decode(record));
    const told = annotations.map(({ sampleId, status, question, answer, selfCheck, skipped }) => ({ sampleId, status, question, answer, selfCheck, skipped: skipped?.reason })); // prettier-ignore
    return { summary: JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as Summary, annotations: told };
  } finally {
    await streams.close();
  }
}

describe('a checkpoint behind transformers serve', () => {
  it('says what the same checkpoint says here', async () => {
    const images = readdirSync(join(noise, 'images')).map((name) => join(noise, 'images', name));
    const prompts = ['What is it?', 'Describe the image.'];
    const here = await VisionModel.open(modelConfig.parse({ checkpoint: noise, cacheDir: join(work, 'graphs'), maxNewTokens: MAX_NEW_TOKENS })); // prettier-ignore
    const served = await transformersServe(noise);
    const there = new RemoteModel(
      endpointConfig.parse({ url: served.url, model: noise, maxNewTokens: MAX_NEW_TOKENS }),
      undefined,
    );
    try {
      expect(await said(there, images, prompts)).toEqual(await said(here, images, prompts));
    } finally {
      await there.close();
      await here.close();
      await served.close();
    }
  });

  it('annotates for mpa align as the same checkpoint does here', async () => {
    const { imageFolder } = await writeWorld({
      task: 'chartqa',
      split: 'train',
      count: 6,
      seed: 1,
      out: join(work, 'drawn'),
    });
    const here = await align('here', imageFolder, large);
    const served = await transformersServe(large);
    try {
      const there = await align('there', imageFolder, served.url, '--teacher-model', large);
      expect(there.annotations).toEqual(here.annotations);
      expect(there.summary.annotated).toBeGreaterThan(0);
      const { annotated, skipped, selected, rejected, teacher } = there.summary;
      expect({ annotated, skipped, selected, rejected }).toEqual({ annotated: here.summary.annotated, skipped: here.summary.skipped, selected: here.summary.selected, rejected: here.summary.rejected }); // prettier-ignore
      // It tells no probabilities (transformers 5): the signals are missing, and named.
      expect(teacher!.missingSignals).toEqual({ attention: annotated, confidence: annotated });
      expect(teacher!.total.inputTokens).toBeGreaterThan(0);
    } finally {
      await served.close();
    }
  });
});
