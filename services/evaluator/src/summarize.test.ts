import { create, EvaluationResultSchema } from '@mpa/contracts';
import { expect, it } from 'vitest';
import { summarize } from './summarize.js';

it('gives accuracy, rate and percentiles', () => {
  const results = [1, 0, 0.5, 0.5].map((score, i) => ({
    result: create(EvaluationResultSchema, { score, answers: ['4'], latencyMilliseconds: 100 * (i + 1) }),
    fingerprint: '',
    together: 2,
  }));
  expect(summarize(results)).toEqual({
    questions: 4,
    withoutAnswers: 0,
    accuracy: 0.5,
    answersPerSecond: 8,
    latencyP50Milliseconds: 250,
    latencyP95Milliseconds: 385,
  });
  const unlabelled = { ...results[0]!, result: { ...results[0]!.result, answers: [] } };
  expect(summarize([...results, unlabelled])).toMatchObject({ questions: 5, withoutAnswers: 1, accuracy: 0.5 });
  expect(summarize([])).toMatchObject({ questions: 0, accuracy: 0, answersPerSecond: 0, latencyP50Milliseconds: 0 });
});
