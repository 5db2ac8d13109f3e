import type { Summary } from '@mpa/console';
import { describe, expect, it } from 'vitest';
import { CountsError } from '../cli-error.js';
import { checkCounts } from './check-counts.js';
import { table } from './table.js';
import { curveSummary } from './train-student.js';

const summary: Summary = {
  run: '/runs/<one>',
  images: 10,
  annotated: 7,
  skipped: { damaged: 2, empty: 1 },
  selected: 4,
  selectedBy: { student_differs: 4 },
  rejected: { 'student-agrees': 3 },
  signals: {
    confidence_and_attention: { records: 7, share: 0.025, bytesPerRecord: 275.4 },
    rationale: { records: 6, share: 0.31, bytesPerRecord: 120 },
  },
  teacher: null,
  train: {
    steps: 2,
    firstLoss: 2.5,
    lastLoss: 1.25,
    terms: {
      confidence: { first: 0.75, last: 0.5, share: 0.03 },
      attention: { first: 0.2, last: 0.1, share: 0.0008 },
    },
  },
  eval: {
    chartqa: { before: 0.5, after: 0.625, teacher: 0.9, n: 8 },
    okvqa: { before: 0.25, after: 0.25, teacher: 0.8, n: 4 },
  },
  speed: { before: 40, after: 39.5, teacher: 11 },
  seconds: 75,
};
const training = { checkpoint: '/student', samples: 3, steps: 2, unreadable: 1 };

describe('checkCounts', () => {
  it('passes a run that accounts for every image', () => {
    expect(() => checkCounts(summary, training)).not.toThrow();
  });

  it.each([
    [{ images: 11 }, /images is 11, but annotated \+ skipped is 10/],
    [{ rejected: {} }, /annotated is 7, but selected \+ rejected is 4/],
    [{ selected: 5, rejected: { 'student-agrees': 2 } }, /selected is 5, but trained on \+ unreadable \+ surplus is 4/],
  ])('names what does not add up: %j', (change, message) => {
    const check = (): void => checkCounts({ ...summary, ...change }, training);
    expect(check).toThrow(CountsError);
    expect(check).toThrow(message);
  });
});

describe('curveSummary', () => {
  it('takes means over the first and the last tenth of the steps, of a term over those that have it', () => {
    const curve = Array.from({ length: 20 }, (_, i) => {
      const term = { raw: i, weighted: 2 * i };
      return {
        step: i + 1,
        loss: 20 - i,
        terms: { answer: { raw: 20 - i, weighted: 20 - i }, ...(i % 2 === 1 && { reasoning: term }) },
      };
    });
    expect(curveSummary(curve)).toEqual({
      firstLoss: 19.5,
      lastLoss: 1.5,
      terms: { reasoning: { first: 1, last: 19, share: 2 / 19.5 } },
    });
    expect(curveSummary([])).toEqual({ firstLoss: null, lastLoss: null, terms: {} });
  });
});

describe('table', () => {
  it('shows counts with reasons, accuracies with their mean, and speeds', () => {
    const text = table(summary).join('\n');
    expect(text).toContain('annotated  7, skipped: damaged 2, empty 1');
    expect(text).toContain('selected   4, rejected: student-agrees 3');
    const rehearsing = table({ ...summary, selectedBy: { student_differs: 3, rehearsal: 1 } }).join('\n');
    expect(rehearsing).toContain('selected   4 (student_differs 3, rehearsal 1), rejected: student-agrees 3');
    expect(text).toContain("signals    confidence and attention: 2.5 % of the L-VLM's time, 275 bytes a record");
    expect(text).toContain("           rationale: 31.0 % of the L-VLM's time, 120 bytes a record");
    expect(text).toMatch(/confidence 0\.750 -> 0\.500, weighted 3\.0 % of the answer's at first$/m);
    expect(text).toMatch(/attention 0\.200 -> 0\.100, weighted 0\.080 % .* too small to matter/);
    expect(text).toMatch(/chartqa +50\.0 % +62\.5 % +90\.0 % +8/);
    expect(text).toMatch(/mean +37\.5 % +43\.8 % +85\.0 %/);
    expect(text).toMatch(/answers\/s +40\.0 +39\.5 +11\.0/);
    expect(text).toContain('time       1m15s');
  });

  it('shows what an L-VLM behind an endpoint was asked, and what it could not give', () => {
    const usage = { requests: 1234, retries: 34, images: 1200, inputTokens: 98_765, outputTokens: 4321, cost: 1.5 };
    const stages = { self_check: { ...usage, retries: 0, cost: null } };
    const text = table({ ...summary, teacher: { stages, total: usage, missingSignals: { n_best: 7 } } }).join('\n');
    expect(text).toContain('teacher    1,234 requests (34 repeated), 98,765 input and 4,321 output tokens, cost 1.50');
    expect(text).toContain('           self check: 1,234 requests, 98,765 input and 4,321 output tokens\n');
    expect(text).toContain('           signals it could not give: n best in 7 annotations');
  });

  it('leaves the L-VLM open where a run has none', () => {
    const tasks = Object.entries(summary.eval).map(
      ([task, measured]) => [task, { ...measured, teacher: null }] as const,
    );
    const text = table({
      ...summary,
      eval: Object.fromEntries(tasks),
      speed: { ...summary.speed, teacher: null },
    }).join('\n');
    expect(text).toMatch(/chartqa +50\.0 % +62\.5 % +- +8/);
    expect(text).toMatch(/mean +37\.5 % +43\.8 % +-$/m);
    expect(text).toMatch(/answers\/s +40\.0 +39\.5 +-$/m);
  });
});
