import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeWorld } from '@mpa/benchmarks';
import type { Decision } from '@mpa/contracts';
import { openEmbeddedStreams } from '@mpa/streams';
import { openCheckpoint } from '@mpa/vlm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decisionsOf, measures } from '@mpa/console';
import type { Levelling, Summary } from '@mpa/console';
import { demonstration } from './demonstration.js';
import { lastObject, runMpa } from './run-mpa.fixture.js';

/** 128-pixel images in one piece, whole words as tokens. */
const { teacher } = demonstration;
/** Both with byte pairs as tokens and random weights: 96-pixel images in nine tiles and a global one, or images of any size. */
const students = [
  ['SmolVLM', 'smolvlm-a', 10],
  ['Qwen2.5-VL', 'qwen2_5_vl-a', 1],
] as const;
const GRID = 6;

describe.each(students)('an L-VLM and an S-VLM of other tokens and views, %s,', (_, folder, views) => {
  const student = fileURLToPath(new URL(`../../../test/fixtures/vlm/${folder}/`, import.meta.url));
  const work = mkdtempSync(join(tmpdir(), 'mpa-families-'));
  const run = join(work, 'run');

  let summary: Summary;
  let decisions: Decision[];
  beforeAll(async () => {
    const { imageFolder } = await writeWorld({ task: 'okvqa', split: 'train', count: 12, seed: 5, out: work });
    const config = join(work, 'config.json');
    writeFileSync(
      config,
      JSON.stringify({
        annotator: {
          signals: { attention: { grid: GRID }, rationale: { prompt: 'Read everything.', stepBreak: ', ' } },
          diversity: { maxShare: 1 },
        },
        trainer: {
          training: {
            confidence: 0.3,
            attention: 1,
            reasoning: 0.3,
            discrepancyWeight: 1,
            epochs: 60,
            learningRate: 3e-3,
          },
        },
      }),
    );
    const args = ['--images', imageFolder, '--task', 'okvqa', '--teacher', teacher, '--student', student, '--out', run];
    const ended = await runMpa('align', ...args, '--config', config, '--json');
    expect(ended).toMatchObject({ code: 0 });
    summary = lastObject(ended) as unknown as Summary;
    const streams = openEmbeddedStreams(join(run, 'streams'));
    decisions = [];
    for await (const decision of decisionsOf(streams)) decisions.push(decision);
    await streams.close();
  }, 240_000);
  afterAll(() => rmSync(work, { recursive: true }));

  it('differ in what one text and one image come to', async () => {
    const [large, small] = [await openCheckpoint(teacher), await openCheckpoint(student)];
    const { answer } = decisions[0]!;
    expect(small.processor.answer(answer)).not.toEqual(large.processor.answer(answer));
    const pixels = { width: 128, height: 128, data: new Uint8Array(128 * 128 * 3) };
    const viewsOf = ({ processor }: typeof large): number => processor.image(pixels).vision.pixels.shape[0]!;
    expect([viewsOf(large), viewsOf(small)]).toEqual([1, views]);
    large.close();
    small.close();
  });

  it('are compared on the regions of one grid, and on texts', () => {
    expect(decisions.length).toBeGreaterThan(6);
    for (const { signals, studentSignals, discrepancies } of decisions) {
      for (const side of [signals!, studentSignals!]) {
        expect(side.attention!.cells).toHaveLength(GRID * GRID);
        expect(side.attention!.cells.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5);
      }
      for (const measure of ['confidence', 'attention'] as const) {
        expect(discrepancies![measure]).toBeGreaterThanOrEqual(0);
        expect(discrepancies![measure]).toBeLessThanOrEqual(1);
      }
    }
    for (const measure of measures) {
      expect(
        decisions.some(({ discrepancies }) => discrepancies![measure]! > 0),
        measure,
      ).toBe(true);
    }
  });

  it('come closer by levelling', async () => {
    expect(summary.selected).toBe(decisions.filter(({ weight }) => weight > 0).length);
    for (const [term, { first, last }] of Object.entries(summary.train.terms)) {
      expect(last, term).toBeLessThan(first);
    }
    const { levelling } = lastObject(await runMpa('analyze', run, '--json')) as unknown as { levelling: Levelling };
    expect(levelling.samples).toBe(summary.selected);
    expect(levelling.nowRight).toBeGreaterThan(levelling.samples / 2);
    for (const [measure, { before, after }] of Object.entries(levelling.means)) {
      expect(after, measure).toBeLessThan(before);
    }
  }, 120_000);
});
