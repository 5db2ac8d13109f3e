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
  train: { steps: 2, firstLoss: 2.5, lastLoss: 1.25, terms: {} },
  eval: {},
  speed: { before: 40, after: 39.5, teacher: 11 },
  seconds: 75,
};
const estimate = (mean: number): { mean: number; low: number; high: number } => ({ mean, low: mean - 0.1, high: mean + 0.1 }); // prettier-ignore

it('is one file that is escaped, with tables, plots and curves', () => {
  const document = page(summary, {
    accuracy: { chartqa: { n: 8, before: estimate(0.5), after: estimate(0.625), teacher: estimate(0.9), change: estimate(0.125) } }, // prettier-ignore
    curve: [1, 2].map((step) => ({ step, loss: 2.5 / step, terms: {} })),
    analysis: { decided: 1, gap: 1, histograms: {}, kinds: [{ task: 'chartqa', kind: '<b>what', asked: 1, gap: 1 }], partsAt: {} }, // prettier-ignore
    looks: [],
    samples: [{ sample: { task: 'chartqa', question: 'Which?', answer: 'a', studentAnswer: '' }, image: undefined, imageName: 'a.png' }], // prettier-ignore
    styles: 'main > p { color: red; }',
  });
  expect(document).toMatch(/^<!doctype html>\n<html lang="en">/);
  expect(document).toContain('/runs/&lt;one>');
  expect(document).toContain('&lt;b>what …');
  expect(document).toContain('main > p { color: red; }');
  expect(document).toContain('Training loss from 2.500 at step 1 to 1.250 at step 2');
  expect(document).toContain('S-VLM before 50.0 (40.0 to 60.0)');
  expect(document).toContain('62.5 <small>52.5 to 72.5</small>');
  expect(document).toContain('a.png is no longer readable');
  expect(document.match(/(?:src|href)="(?!data:)/g)).toBeNull();
});
