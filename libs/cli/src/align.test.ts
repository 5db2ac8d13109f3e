import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'; // prettier-ignore
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { writeWorld } from '@mpa/benchmarks';
import type { Analysis, Levelling, Summary } from '@mpa/console';
import { topics } from '@mpa/service-kit';
import { openEmbeddedStreams, type StreamRecord } from '@mpa/streams';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeAlignInputs, type AlignInputs } from './align-inputs.fixture.js';
import { writeMixedImages } from './mixed-images.fixture.js';
import { lastObject, runMpa, startMpa, UNPRIVILEGED, type Ended } from './run-mpa.fixture.js';
import { serveService } from './serve-service.fixture.js';

const work = mkdtempSync(join(tmpdir(), 'mpa-align-'));
const GOOD = 6;
let inputs: AlignInputs;
let images: string;

beforeAll(async () => {
  inputs = await writeAlignInputs(work, GOOD);
  ({ images } = inputs);
}, 60_000);
afterAll(() => rmSync(work, { recursive: true }));

function alignArgs(run: string, from: string, ...more: string[]): string[] {
  const { teacher, student } = inputs;
  return ['align', '--images', from, '--task', 'chartqa', '--teacher', teacher, '--student', student, '--out', join(work, run), ...more]; // prettier-ignore
}

function summaryOf(ended: Ended): Summary {
  expect(ended).toMatchObject({ code: 0 });
  return lastObject(ended) as unknown as Summary;
}

async function recordsOf(run: string, topic: string): Promise<StreamRecord[]> {
  const streams = openEmbeddedStreams(join(work, run, 'streams'));
  try {
    const records: StreamRecord[] = [];
    for await (const record of streams.readAll(topic)) records.push(record);
    return records;
  } finally {
    await streams.close();
  }
}

describe('mpa align', () => {
  it('levels the student, evaluates it, and gives the same result when run again', async () => {
    const { annotations, imageFolder } = await writeWorld({ task: 'chartqa', split: 'test', count: 1, seed: 1, out: join(work, 'labelled') }); // prettier-ignore
    const args = alignArgs('whole', images, '--eval', annotations!, '--eval-images', imageFolder, '--json');
    const ended = await runMpa(...args);
    const summary = summaryOf(ended);
    expect(summary).toMatchObject({ run: join(work, 'whole'), images: GOOD, annotated: GOOD, skipped: {} });
    expect(summary.selected).toBe(GOOD);
    expect(summary.train.lastLoss).toBeLessThan(summary.train.firstLoss!);
    expect(Object.keys(summary.eval)).toEqual(['chartqa']);
    expect(summary.eval['chartqa']!.n).toBeGreaterThan(0);
    expect(summary.speed.after).toBeGreaterThan(0);
    expect(ended.stderr).toMatch(/estimate: annotate 6 images/);
    const report = readFileSync(join(work, 'whole', 'report.html'), 'utf8');
    expect(report).toContain('What is drawn?');
    expect(report.match(/src="(?!data:)|href="http/g)).toBeNull();

    const decided = await recordsOf('whole', topics.decisions.name);
    // Nobody traces: the records say nothing of it.
    for (const { headers } of decided) expect(Object.keys(headers).sort()).toEqual(['content-type', 'mpa-run-id']);
    const again = summaryOf(await runMpa(...args));
    expect({ ...again, seconds: 0, speed: 0 }).toEqual({ ...summary, seconds: 0, speed: 0 });
    expect(await recordsOf('whole', topics.decisions.name)).toEqual(decided);
  });

  it('tells where the models differ, before and after, and puts it into the report', async () => {
    const config = join(work, 'signals.yaml');
    const signals = '{ attention: { grid: 4 }, nBest: {}, rationale: { prompt: Read., stepBreak: " " } }';
    const training = '{ confidence: 1, attention: 1, reasoning: 0.0001, epochs: 40, learningRate: 0.002 }';
    writeFileSync(config, `annotator: { signals: ${signals} }\ntrainer: { training: ${training} }\n`);
    const summary = summaryOf(await runMpa(...alignArgs('told', images, '--config', config, '--json')));
    expect(Object.keys(summary.signals)).toEqual(['confidence_and_attention', 'n_best', 'rationale']);
    for (const { records, share, bytesPerRecord } of Object.values(summary.signals)) {
      expect(records).toBeGreaterThan(0);
      expect(share > 0 && share < 1).toBe(true);
      expect(bytesPerRecord).toBeGreaterThan(8);
    }
    const { attention, reasoning } = summary.train.terms;
    expect(attention!.last).toBeLessThan(attention!.first);
    expect(attention!.share).toBeGreaterThan(reasoning!.share);

    const analyzed = lastObject(await runMpa('analyze', join(work, 'told'), '--json')) as unknown as Analysis & {
      levelling: Levelling;
    };
    expect(analyzed).toMatchObject({ decided: GOOD, gap: GOOD });
    expect(Object.keys(analyzed.histograms)).toEqual(['confidence', 'attention', 'reasoning']);
    expect(analyzed.kinds).toEqual([{ task: 'chartqa', kind: 'what is', asked: GOOD, gap: GOOD }]);
    expect(analyzed.levelling).toMatchObject({ samples: GOOD, nowRight: GOOD });
    const { means } = analyzed.levelling;
    expect(means.confidence!.after).toBeLessThan(means.confidence!.before);
    const report = readFileSync(join(work, 'told', 'report.html'), 'utf8');
    expect(report.match(/aria-label="attention map"/g)).toHaveLength(3 * GOOD);
    expect(report).toContain('Where the models differ');
    expect(report.match(/src="(?!data:)|href="http/g)).toBeNull();

    const nothing = await runMpa('analyze', join(work, 'never'));
    expect(nothing.stderr).toMatch(/^mpa: [^\n]*never is not the folder of a finished run[^\n]*\n$/);
    expect(nothing.code).toBe(1);
  });

  it('skips what cannot be used with a reason, and does the rest', async () => {
    const folder = join(work, 'mixed');
    mkdirSync(folder);
    for (const name of readdirSync(images)) copyFileSync(join(images, name), join(folder, name));
    const { usable, skipped } = await writeMixedImages(folder);
    const { ended } = startMpa(alignArgs('mixed-run', folder, '--json'), { command: UNPRIVILEGED });
    const summary = summaryOf(await ended);
    expect(summary.skipped).toEqual(skipped);
    const annotated = GOOD + usable;
    expect(summary).toMatchObject({ annotated, selected: annotated, images: annotated + Object.keys(skipped).length });
    expect(summary.train.steps).toBeGreaterThan(0);
  });

  it('goes on to the end when nobody reads its output any more', async () => {
    const { child, ended } = startMpa(alignArgs('unread', images));
    ended.catch(() => undefined); // its output ends early
    child.stdout!.destroy();
    child.stderr!.destroy();
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect(existsSync(join(work, 'unread', 'report.html'))).toBe(true);
  });

  it('refuses a folder without images, and other images for a run that was started', async () => {
    const empty = join(work, 'empty');
    mkdirSync(empty);
    const none = await runMpa(...alignArgs('none', empty));
    expect(none.stderr).toMatch(/^mpa: [^\n]*empty[^\n]*\n$/);
    expect(none.code).toBe(1);
    const other = await runMpa(...alignArgs('whole', empty));
    expect(other.stderr).toMatch(/sources.*--out/);
    expect(other.code).toBe(1);
  });

  it('names a service setting that does not exist', async () => {
    const config = join(work, 'settings.yaml');
    writeFileSync(config, 'parity:\n  bach: 3\n');
    const { stderr, code } = await runMpa(...alignArgs('settings', images, '--config', config));
    expect(stderr).toMatch(/mpa: .*parity.*bach/);
    expect(code).toBe(2);
  });
});

describe('mpa align with services elsewhere', () => {
  it('reaches all four, each started by mpa serve, which stop at SIGTERM', async () => {
    const cacheDir = join(work, 'graphs');
    const { teacher, student } = inputs;
    const settings = {
      annotator: { model: { checkpoint: teacher, cacheDir } },
      parity: { model: { checkpoint: student, cacheDir } },
      trainer: {},
      evaluator: { model: { cacheDir } },
    };
    const served = await Promise.all(
      Object.entries(settings).map(([name, config]) => serveService(name, config, work)),
    );
    const endpoints = join(work, 'endpoints.json');
    writeFileSync(endpoints, JSON.stringify(Object.fromEntries(served.map(({ name, address }) => [name, address]))));
    const summary = summaryOf(await runMpa(...alignArgs('remote', images, '--endpoints', endpoints, '--json')));
    expect(summary).toMatchObject({ images: GOOD, annotated: GOOD, selected: GOOD });
    expect(summary.train.steps).toBeGreaterThan(0);
    for (const { child } of served) child.kill('SIGTERM');
    for (const { ended } of served) expect((await ended).code).toBe(0);
  });
});

describe('mpa align that is killed', () => {
  const many = join(work, 'many');
  const COUNT = 24;
  const config = join(work, 'slow.yaml');
  beforeAll(async () => {
    mkdirSync(many);
    const source = await sharp(join(images, 'good-0.png')).resize(96, 80).png().toBuffer();
    for (let i = 0; i < COUNT; i++) writeFileSync(join(many, `${i}.png`), source);
    writeFileSync(config, 'annotator: { batch: 1, diversity: { maxShare: 1 } }\nparity: { batch: 1 }\ntrainer: { training: { batch: 1, epochs: 1, saveEvery: 5 } }\n'); // prettier-ignore
  });

  it('goes on where it was, and counts add up', async () => {
    const args = alignArgs('killed', many, '--config', config, '--json');
    const first = startMpa(args);
    const annotated = await killOnce(first.child, async () => (await recordsOf('killed', topics.annotations.name)).length >= 3); // prettier-ignore
    await first.ended;
    const before = await recordsOf('killed', topics.annotations.name);
    expect(annotated).toBe(true);
    expect(before.length).toBeLessThan(COUNT);

    const second = startMpa(args);
    const trained = await killOnce(second.child, async () => stepsOf('killed').length >= 7);
    await second.ended;
    expect(trained).toBe(true);
    const after = await recordsOf('killed', topics.annotations.name);
    expect(after).toHaveLength(COUNT);
    expect(after.filter(({ id }) => before.some((record) => record.id === id))).toEqual(before);

    const third = await runMpa(...args);
    const summary = summaryOf(third);
    expect(summary).toMatchObject({ images: COUNT, annotated: COUNT, selected: COUNT, train: { steps: COUNT } });
    expect(third.stderr).toMatch(/annotate: 24 of 24 were done before/);
    expect(third.stderr).toMatch(/train: ([5-9]|1\d|2[0-3]) of 24 were done before/);
    expect(new Set(stepsOf('killed')).size).toBe(COUNT);
  });

  it('stops at Ctrl-C, says how to go on, and refuses two at a time', async () => {
    const args = alignArgs('interrupted', many, '--config', config);
    const { child, ended } = startMpa(args);
    while ((await recordsOf('interrupted', topics.annotations.name)).length < 1) await pause(100);
    const other = await runMpa(...args);
    expect(other.stderr).toMatch(/mpa: .*interrupted/);
    expect(other.code).toBe(1);
    child.kill('SIGINT');
    const { code, stderr } = await ended;
    expect(stderr).toMatch(/mpa: interrupted; the same command goes on/);
    expect(code).toBe(130);
  });
});

function stepsOf(run: string): number[] {
  try {
    const lines = readFileSync(join(work, run, 'records', 'training.jsonl'), 'utf8')
      .trimEnd()
      .split('\n');
    return lines.map((line) => (JSON.parse(line) as { step: number }).step);
  } catch {
    return []; // not there yet, or a line is being written
  }
}

/** Kills the process with SIGKILL as soon as `due`; false when it ended before. */
async function killOnce(child: ReturnType<typeof startMpa>['child'], due: () => Promise<boolean>): Promise<boolean> {
  while (child.exitCode === null) {
    if (await due()) return child.kill('SIGKILL');
    await pause(100);
  }
  return false;
}
