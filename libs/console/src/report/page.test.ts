import { expect, it } from 'vitest';
import type { Summary } from '../run/summary.js';
import { page } from './page.js';

const summary: Summary = {
  run: '/runs/<one>',
  images: 10,
  annotated: 7,
  skipped: { damaged: 2, empty: 1 },
  selected: 4,
  selectedBy: { student_differs: 4 },
  rejected: { student_agrees: 3 },
  signals: {},
  teacher: null,
  train: { steps: 2, firstLoss: 2.5, lastLoss: 1.25, terms: {} },
  eval: {},
  speed: { before: 40, after: 39.5, teacher: 11 },
  seconds: 75,
};
const estimate = (mean: number): { mean: number; low: number; high: number } => ({ mean, low: mean - 0.1, high: mean + 0.1 }); // prettier-ignore

const hostile = '</td><script>alert(1)</script><img src=x onerror=alert(1)>" onload="alert(1)';

const document = (of: Summary, said = 'Which?'): string =>
  page(of, {
    accuracy: { chartqa: { n: 8, before: estimate(0.5), after: estimate(0.625), teacher: estimate(0.9), change: estimate(0.125) } }, // prettier-ignore
    curve: [1, 2].map((step) => ({ step, loss: 2.5 / step, terms: {} })),
    analysis: { decided: 1, gap: 1, histograms: {}, kinds: [{ task: 'chartqa', kind: '<b>what', asked: 1, gap: 1 }], partsAt: {} }, // prettier-ignore
    looks: [],
    samples: [{ sample: { task: 'chartqa', question: said, answer: said, studentAnswer: said }, image: undefined, imageName: 'a.png' }], // prettier-ignore
    styles: 'main > p { color: red; }',
  });

it('is one file that is escaped, with tables, plots and curves', () => {
  const whole = document(summary);
  expect(whole).toMatch(/^<!doctype html>\n<html lang="en">/);
  expect(whole).toContain('/runs/&lt;one>');
  expect(whole).toContain('&lt;b>what …');
  expect(whole).toContain('main > p { color: red; }');
  expect(whole).toContain('Training loss from 2.500 at step 1 to 1.250 at step 2');
  expect(whole).toContain('S-VLM before 50.0 (40.0 to 60.0)');
  expect(whole).toContain('62.5 <small>52.5 to 72.5</small>');
  expect(whole).toContain('a.png is no longer readable');
  expect(whole.match(/(?:src|href)="(?!data:)/g)).toBeNull();
});

it('shows what models said as text, whatever they said', () => {
  const whole = document({ ...summary, skipped: { [hostile]: 1 } }, hostile);
  expect(whole.split('&lt;script>alert(1)').length - 1).toBeGreaterThanOrEqual(3);
  expect(whole).not.toMatch(/<script>alert|<img src=x/);
  expect(whole).not.toMatch(/<[^>]* onload="/);
});

it('tells what an L-VLM behind an endpoint was asked, and says nothing of a checkpoint', () => {
  const usage = { requests: 1234, retries: 34, images: 1200, inputTokens: 98_765, outputTokens: 4321 };
  const stages = { self_check: { ...usage, cost: 1.5 } };
  const told = document({
    ...summary,
    teacher: { stages, total: { ...usage, cost: 1.5 }, missingSignals: { attention: 7, n_best: 2 } },
  });
  expect(told).toContain('<th scope="row">self check</th><td>1,234</td><td>34</td><td>1,200</td><td>98,765</td><td>4,321</td><td>1.50</td>'); // prettier-ignore
  expect(told).toContain('Signals that the L-VLM could not give: attention in 7, n best in 2 annotations.');
  expect(document(summary)).not.toContain('What the L-VLM was asked');
});
