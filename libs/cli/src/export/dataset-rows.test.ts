import { expect, it } from 'vitest';
import { llavaRow, sharegptRow, swiftRow } from './dataset-rows.js';
import type { ExportedSample } from './exported-sample.js';

const sample: ExportedSample = {
  ...{ id: '1', task: 'okvqa', image: '/a.png', decision: 'selected', reason: 'student_differs' },
  ...{ question: 'What does <image> mean?', answer: 'an <image>', selfCheck: null, studentAnswer: '', weight: 1 },
  ...{ signals: undefined, studentSignals: undefined, discrepancies: undefined },
};

it.each([sharegptRow, swiftRow, llavaRow])('a row has one mark for its one image, whatever its texts say', (rowOf) => {
  const text = JSON.stringify(rowOf(sample));
  expect(text.match(/<image>/g)).toHaveLength(1);
  expect(text).toContain('mean?');
});
