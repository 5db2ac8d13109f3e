import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeWorld } from '@mpa/benchmarks';
import type { Summary } from '@mpa/console';
import type { Decision, ImageRecord } from '@mpa/contracts';
import { topics } from '@mpa/service-kit';
import { openEmbeddedStreams, type Topic } from '@mpa/streams';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeAlignInputs, type AlignInputs } from './align-inputs.fixture.js';
import { lastObject, runMpa, type Ended } from './run-mpa.fixture.js';

const work = mkdtempSync(join(tmpdir(), 'mpa-import-'));
let inputs: AlignInputs;
beforeAll(async () => void (inputs = await writeAlignInputs(work, 4)), 60_000);
afterAll(() => rmSync(work, { recursive: true }));

const runOf = (name: string): string => join(work, `run-${name}`);

/** Imports a file with that content into a run of that name. */
function importText(name: string, format: string, text: string): Promise<Ended> {
  const file = join(work, name);
  writeFileSync(file, text);
  const flags = ['--format', format, '--task', 'chartqa', '--image-root', inputs.images, '--out', runOf(name)];
  return runMpa('import', file, ...flags, '--json');
}

async function recordsOf<T>(name: string, topic: Topic<T>): Promise<T[]> {
  const streams = openEmbeddedStreams(join(runOf(name), 'streams'), { readOnly: true });
  try {
    const messages: T[] = [];
    for await (const record of streams.readAll(topic.name)) messages.push(topic.decode(record));
    return messages;
  } finally {
    await streams.close();
  }
}

const imagesOf = (name: string): Promise<ImageRecord[]> => recordsOf(name, topics.images);
const decisionsOf = (name: string): Promise<Decision[]> => recordsOf(name, topics.decisions);

async function align(name: string, ...flags: string[]): Promise<Summary> {
  const ended = await runMpa('align', '--student', inputs.student, '--out', runOf(name), '--json', ...flags);
  expect(ended).toMatchObject({ code: 0 });
  return lastObject(ended) as unknown as Summary;
}

/** A row as the reference implementation's annotator writes it: without the question's mark, and null for what it did not understand. */
const annotated = (image: string, question: string | null, answer: string | null): object => ({
  question_id: 7,
  image_path: image,
  ground_truth_question: 'What do people say is drawn?',
  ground_truth_answer: 'a secret',
  predicted_question: question,
  predicted_answer: answer,
});

/** And what a model answered to it. */
const answered = (image: string, prediction: string): object => ({
  question_id: 7,
  image_path: image,
  PA_question: 'What is drawn',
  PA_answer: 'a cat',
  predictions: prediction,
});

/** Several runs of `mpa align`, on a machine that is busy with something else. */
const LONG = { timeout: 300_000 };

describe("mpa import of the reference implementation's annotations", LONG, () => {
  it('takes what can be used, and counts the rest by reason; mpa align levels on it without an L-VLM', async () => {
    const rows = [
      annotated('/workspace/data/chartqa/good-0.png', 'What is drawn', 'a cat'),
      annotated('/workspace/data/chartqa/good-0.png', 'what is  DRAWN', 'A cat'),
      annotated('good-1.png', 'How many are there?', '2'),
      annotated('good-2.png', null, 'a cat'),
      annotated('good-2.png', 'What is drawn', null),
      annotated('/elsewhere/absent.png', 'What is drawn', 'a cat'),
      annotated('../teacher/config.json', 'What is drawn', 'a cat'),
      'no row at all',
      { image_path: 'good-3.png' },
    ];
    const imported = lastObject(await importText('mpa.json', 'mpa-json', JSON.stringify(rows, null, 2)));
    const leftOut = { duplicate: 1, 'empty-question': 1, 'empty-answer': 1, 'not-found': 2, 'malformed-row': 2 };
    expect(imported).toEqual({ run: runOf('mpa.json'), rows: 9, records: 9, questions: 2, selfChecked: 0, leftOut });
    const records = await imagesOf('mpa.json');
    expect(JSON.stringify(records.map(({ written }) => written))).not.toMatch(/people|secret/);
    const questions = records.flatMap(({ written }) => (written ? [written.question] : []));
    expect(questions.sort()).toEqual(['How many are there?', 'What is drawn?']);

    const { annotations, imageFolder } = await writeWorld({ task: 'chartqa', split: 'test', count: 1, seed: 1, out: join(work, 'labelled') }); // prettier-ignore
    const labelled = ['--eval', annotations!, '--eval-images', imageFolder];
    const summary = await align('mpa.json', ...labelled);
    expect(summary).toMatchObject({ images: 9, annotated: 2, skipped: leftOut, selected: 2, rejected: {} });
    expect(summary.train.steps).toBeGreaterThan(0);
    expect(summary.eval['chartqa']).toMatchObject({ teacher: null });
    expect(summary.eval['chartqa']!.n).toBeGreaterThan(0);
    expect(summary.speed.teacher).toBeNull();
    for (const { unchecked, selfCheck } of await decisionsOf('mpa.json')) expect({ unchecked, selfCheck }).toEqual({ unchecked: true, selfCheck: '' }); // prettier-ignore

    const again = await runMpa('align', '--student', inputs.student, '--out', runOf('mpa.json'), '--json', ...labelled);
    expect(again.stderr).toMatch(/^2 annotations are taken unchecked: name a --teacher/m);
    expect({ ...lastObject(again), seconds: 0 }).toEqual({ ...summary, seconds: 0 });
    const other = await runMpa('align', '--student', inputs.student, '--teacher', inputs.teacher, '--out', runOf('mpa.json'), ...labelled); // prettier-ignore
    expect(other.stderr).toMatch(/other teacher/);
  });

  it("takes the L-VLM's own answers for the self-check where the file has them", async () => {
    const rows = [answered('good-0.png', 'a cat'), answered('good-1.png', 'a dog')];
    const imported = lastObject(await importText('pi.json', 'mpa-json', JSON.stringify(rows)));
    expect(imported).toMatchObject({ questions: 2, selfChecked: 2 });
    const summary = await align('pi.json');
    expect(summary).toMatchObject({ selected: 1, rejected: { teacher_disagrees_with_itself: 1 } });
    expect((await decisionsOf('pi.json')).map(({ unchecked }) => unchecked)).toEqual([false, false]);
  });

  it('has the teacher check them, where one is named, also when the run was renamed meanwhile', async () => {
    const rows = [annotated('good-0.png', 'What is drawn', 'a cat'), annotated('good-1.png', 'What is drawn', 'a dog')];
    await importText('taught.jsonl', 'mpa-json', rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    renameSync(runOf('taught.jsonl'), runOf('renamed'));
    const summary = await align('renamed', '--teacher', inputs.teacher);
    expect(summary).toMatchObject({ selected: 1, rejected: { teacher_disagrees_with_itself: 1 } });
    expect(summary.train.steps).toBeGreaterThan(0);
    const annotations = await recordsOf('renamed', topics.annotations);
    for (const { selfCheck, promptId, signals } of annotations) {
      expect({ selfCheck, promptId }).toEqual({ selfCheck: 'a cat', promptId: 'import/mpa-json' });
      expect(signals?.answerLogProbabilityPerCharacter).toBeLessThan(0);
    }
  });
});

describe('mpa import of conversations', () => {
  it('takes every question that is answered, and names rows without one image', async () => {
    const turns = (...texts: string[]): object[] => texts.map((value, i) => ({ from: i % 2 ? 'gpt' : 'human', value }));
    const rows = [
      { id: '1', image: 'good-0.png', conversations: turns('<image>\nWhat is drawn?', 'a cat', 'What colour has it?', 'red', 'Why?') }, // prettier-ignore
      { id: '2', image: ['good-1.png', 'good-2.png'], conversations: turns('<image>\n<image>\nWhich is larger?', 'the first') }, // prettier-ignore
      { id: '3', conversations: turns('What is it?', 'a cat') },
      { id: '4', image: 'good-3.png', conversations: [] },
    ];
    const imported = lastObject(await importText('turns.json', 'llava', JSON.stringify(rows)));
    const leftOut = { 'several-images': 1, 'no-image': 1, 'malformed-row': 1 };
    expect(imported).toMatchObject({ rows: 4, records: 5, questions: 2, leftOut });
    const written = (await imagesOf('turns.json')).flatMap(({ written }) => (written ? [[written.question, written.answer]] : [])); // prettier-ignore
    expect(written.sort()).toEqual([
      ['What colour has it?', 'red'],
      ['What is drawn?', 'a cat'],
    ]);
  });

  it('keeps the good lines of a file that has a bad one', async () => {
    const good = JSON.stringify({ messages: [{ role: 'system', content: 'Be brief.' }, { role: 'user', content: '<image>What is drawn?' }, { role: 'assistant', content: 'a cat' }], images: ['good-0.png'] }); // prettier-ignore
    const imported = lastObject(await importText('lines.jsonl', 'jsonl', `\uFEFF${good}\n{"messages": [\n\n${good.replace('0.png', '1.png')}`)); // prettier-ignore
    expect(imported).toMatchObject({ rows: 3, questions: 2, leftOut: { 'malformed-row': 1 } });
    const bad = (await imagesOf('lines.jsonl')).find(({ unusable }) => unusable);
    expect(bad!.unusable!.detail).toMatch(/^row 2: not JSON/);
  });
});

describe('an import that fails', () => {
  const row = JSON.stringify(annotated('good-0.png', 'What is drawn', 'a cat'));
  const cases: Record<string, { text: string; names: RegExp }> = {
    'broken JSON': { text: `[\n${row},\n{"image_path": }\n]`, names: /line 3, after 1 rows, is not JSON.*RIGHT_BRACE/ },
    'a file that ends early': { text: `[\n${row},\n{"image`, names: /line 3, after 1 rows, is not JSON: it ends early/ },
    'text behind the list': { text: `[${row}]\nand more`, names: /line 2, after 1 rows, is not JSON/ },
    'an empty file': { text: ' \n', names: /is empty/ },
    'rows of another format': { text: '[{"a": 1}]', names: /none of its 1 rows can be used.*malformed-row: row 1/ },
    'images that are elsewhere': { text: `[${row.replace('good', 'bad')}]`, names: /not-found: row 1.*bad-0\.png under .*images/ },
  }; // prettier-ignore
  it.each(Object.entries(cases))('%s: one line that says where, and no run', async (name, { text, names }) => {
    const { code, stderr } = await importText(`${name}.json`, 'mpa-json', text);
    expect(stderr).toMatch(names);
    expect(stderr).toMatch(/^mpa: [^\n]+\n$/);
    expect(code).toBe(1);
    expect(existsSync(runOf(`${name}.json`))).toBe(false);
    expect(readdirSync(work).filter((entry) => entry.endsWith('.tmp'))).toEqual([]);
  });

  it('a run that is there already is left as it is, and takes no other images', async () => {
    await importText('there.json', 'mpa-json', `[${row}]`);
    const again = await importText('there.json', 'mpa-json', `[${row}]`);
    expect(again).toMatchObject({ code: 1 });
    expect(again.stderr).toMatch(/is there already; give another --out/);
    const other = await runMpa('align', '--student', inputs.student, '--out', runOf('there.json'), '--images', inputs.images); // prettier-ignore
    expect(other).toMatchObject({ code: 2 });
    expect(other.stderr).toMatch(/leave --images and --task out/);
  });

  it('a run that nothing was imported into needs images, task and teacher', async () => {
    const ended = await runMpa('align', '--student', inputs.student, '--out', runOf('never'), '--task', 'chartqa');
    expect(ended).toMatchObject({ code: 2 });
    expect(ended.stderr).toMatch(/give --images, --teacher, or begin the run with mpa import/);
  });
});
