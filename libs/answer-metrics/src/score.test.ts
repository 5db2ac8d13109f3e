import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { normalizeEvalAi } from './evalai-normalization.js';
import { MetricError } from './metric-error.js';
import { containsAnswer } from './mpa-containment.js';
import { metricNames, metricOf, score, type MetricName } from './score.js';
import { tasks } from './task.js';
import { normalizeOfficial } from './vqa-accuracy-official.js';

interface Case {
  readonly metric: MetricName;
  readonly prediction: string;
  readonly answers: readonly string[];
  readonly score: number;
}

function readFixture<T>(name: string): T[] {
  const url = new URL(`../../../test/fixtures/metrics/${name}.jsonl`, import.meta.url);
  const lines = readFileSync(url, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as T);
}

// Sums of thirds round differently in another order of addition.
const tolerance = 1e-9;

describe('the official programs give the same', () => {
  test.each(metricNames.filter((name) => name !== 'exact_match'))('%s', (metric) => {
    const cases = readFixture<Case>(metric);
    const wrong = cases
      .map((one) => ({ ...one, got: score(one.metric, one.prediction, one.answers) }))
      .filter(({ got, score: expected }) => !(Math.abs(got - expected) <= tolerance));
    expect(cases.length).toBeGreaterThan(400);
    expect(wrong).toEqual([]);
  });

  test('normalised answers', () => {
    type Row = { input: string; official_normalized: string; evalai: string };
    // Python 2 lower-cases character by character, without the rules for these two.
    const rows = readFixture<Row>('normalization').filter(({ input }) => !/\u0130|\u03a3(?!\p{L})/u.test(input));
    expect(rows.length).toBeGreaterThan(830);
    const wrong = rows.filter(
      ({ input, official_normalized, evalai }) =>
        normalizeOfficial(input) !== official_normalized || normalizeEvalAi(input) !== evalai,
    );
    expect(wrong).toEqual([]);
  });

  test('selection by substrings', () => {
    type Row = Record<'lvlm_prediction' | 'svlm_prediction' | 'pseudo_answer', string | null> & { selected: boolean };
    for (const row of readFixture<Row>('mpa_parity')) {
      const [large, small] = [row.lvlm_prediction, row.svlm_prediction].map((prediction) =>
        containsAnswer(prediction ?? null, row.pseudo_answer),
      );
      expect({ ...row, selected: large && !small }).toEqual(row);
    }
  });
});

describe('inputs on which the official programs fail or differ by Python version', () => {
  type Row = Omit<Case, 'score'> & { score: number | null; score_python3?: number };

  test('texts get the score of Python 3, lists of anything else a MetricError', () => {
    for (const { metric, prediction, answers, score: expected, score_python3 } of readFixture<Row>('unusual_inputs')) {
      const isText = [prediction, ...(answers ?? [null])].every((value: unknown) => typeof value === 'string');
      const run = () => score(metric, prediction, answers);
      if (!isText) expect(run).toThrow(MetricError);
      else if (expected !== null && metric === 'vqa_accuracy_official' && score_python3 !== undefined) {
        expect([expected, score_python3]).toContain(run());
      } else if (expected !== null) expect(run()).toBeCloseTo(expected, 9);
      else if (metric === 'anls' && answers.length > 0) expect(run()).toBeLessThanOrEqual(1);
      else expect(run).toThrow(MetricError);
    }
  });

  test('two empty texts are alike under ANLS', () => {
    expect(score('anls', ' ', [''])).toBe(1);
    expect(score('anls', '', ['x', ''])).toBe(1);
    expect(score('anls', '', ['x'])).toBe(0);
  });
});

test('an exact match ignores case and white space at the ends, nothing else', () => {
  expect(score('exact_match', ' Nokia\n', ['sony', 'nokia'])).toBe(1);
  expect(score('exact_match', 'no', ['nokia'])).toBe(0);
  expect(score('exact_match', 'nokia.', ['nokia'])).toBe(0);
});

test('every task has a metric', () => {
  expect(tasks.map(metricOf)).toEqual(['vqa_accuracy_textvqa', 'anls', 'relaxed_accuracy', 'vqa_accuracy_okvqa']);
});

test('errors say what to give instead', () => {
  expect(() => score('vqa_accuracy_textvqa', 'x', ['x'])).toThrow(/10 annotated answers, got 1/);
  expect(() => score('constructor' as MetricName, 'x', ['x'])).toThrow(/unknown metric "constructor".*anls/);
  for (const metric of metricNames.filter((name) => name !== 'vqa_accuracy_okvqa')) {
    expect(() => score(metric, 'x', [])).toThrow(MetricError);
  }
});
