import { tasks } from '@mpa/answer-metrics';
import { describe, expect, test } from 'vitest';
import {
  decide,
  decideByDiscrepancy,
  decideToRehearse,
  rejectionReasons,
  selectionReasons,
  type ParityInput,
} from './decide.js';

// Two answers that agree under the task's rule though they are written differently, and one that agrees with neither.
const answersOf = {
  textvqa: ['Nokia', 'nokia.', 'no'],
  stvqa: ['international airport', 'internatianal airport', 'national airport'],
  chartqa: ['100', '104', '94'],
  okvqa: ['a lemon', 'Lemon', 'melon'],
} as const;

describe.each(tasks)('%s', (task) => {
  const [annotation, same, other] = answersOf[task];
  const reasonFor = (answers: Partial<ParityInput>) =>
    decide({ task, annotation, selfCheck: same, studentAnswer: other, ...answers });

  test('selects where only the S-VLM differs', () => {
    expect(reasonFor({})).toEqual({ selected: true, reason: 'student_differs' });
    expect(reasonFor({ studentAnswer: '' })).toEqual({ selected: true, reason: 'student_differs' });
  });

  test('rejects what the S-VLM knows', () => {
    expect(reasonFor({ studentAnswer: same })).toEqual({ selected: false, reason: 'student_agrees' });
  });

  test('goes by the S-VLM alone where the L-VLM was not asked again', () => {
    expect(reasonFor({ selfCheck: undefined })).toEqual({ selected: true, reason: 'student_differs' });
    expect(reasonFor({ selfCheck: undefined, studentAnswer: same }).reason).toBe('student_agrees');
  });

  test('rejects what the L-VLM contradicts, whatever the S-VLM says', () => {
    for (const studentAnswer of [annotation, same, other]) {
      const decision = reasonFor({ selfCheck: other, studentAnswer });
      expect(decision).toEqual({ selected: false, reason: 'teacher_disagrees_with_itself' });
    }
  });

  test('rejects an empty annotation, even one that the L-VLM repeats', () => {
    const decision = reasonFor({ annotation: ' ', selfCheck: ' ' });
    expect(decision).toEqual({ selected: false, reason: 'annotation_empty' });
  });
});

test('every reason is given for some answers, and no other', () => {
  const answers = ['', 'cat', 'dog'];
  const reasons = answers.flatMap((annotation) =>
    answers.flatMap((selfCheck) =>
      answers.map((studentAnswer) => {
        const decision = decide({ task: 'okvqa', annotation, selfCheck, studentAnswer });
        const otherwise = decideByDiscrepancy(decision, annotation === 'cat' ? 0.9 : 0.1, 0.5);
        return [0, 1].map((share) => decideToRehearse(otherwise, share, 0.5).reason);
      }),
    ),
  );
  expect(new Set(reasons.flat())).toEqual(new Set([...selectionReasons, ...rejectionReasons]));
});

test('selects what the S-VLM gets right only where it differs by more than was asked for', () => {
  const agrees = decide({ task: 'okvqa', annotation: 'cat', selfCheck: 'cat', studentAnswer: 'cat' });
  expect(decideByDiscrepancy(agrees, 0.6, 0.5)).toEqual({ selected: true, reason: 'student_agrees_otherwise' });
  for (const [discrepancy, above] of [
    [0.5, 0.5],
    [undefined, 0],
    [0.9, 1],
  ] as const) {
    expect(decideByDiscrepancy(agrees, discrepancy, above)).toBe(agrees);
  }
  const unsure = decide({ task: 'okvqa', annotation: 'cat', selfCheck: 'dog', studentAnswer: 'cat' });
  expect(decideByDiscrepancy(unsure, 1, 0)).toBe(unsure);
});

test('rehearses the share that was asked for of what the S-VLM knows, and nothing else', () => {
  const agrees = decide({ task: 'okvqa', annotation: 'cat', selfCheck: 'cat', studentAnswer: 'cat' });
  expect(decideToRehearse(agrees, 0.3, 0.29)).toEqual({ selected: true, reason: 'rehearsal' });
  expect(decideToRehearse(agrees, 0.3, 0.3)).toBe(agrees);
  expect(decideToRehearse(agrees, 0, 0)).toBe(agrees);
  const unsure = decide({ task: 'okvqa', annotation: 'cat', selfCheck: 'dog', studentAnswer: 'cat' });
  expect(decideToRehearse(unsure, 1, 0)).toBe(unsure);
});
