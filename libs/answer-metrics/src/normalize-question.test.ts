import { expect, test } from 'vitest';
import { normalizeQuestion } from './normalize-question.js';

test('the same question in another writing is one question', () => {
  const questions = ['What is on the left sign?', 'what is on left sign', ' What  is on the LEFT sign ?!'];
  expect(new Set(questions.map(normalizeQuestion))).toEqual(new Set(['what is on left sign']));
});

test('other questions stay apart', () => {
  const questions = ['How many bars are above 10?', 'How many bars are above 1 0?', 'How many bars are above 100?'];
  expect(new Set(questions.map(normalizeQuestion)).size).toBe(3);
});

test('is empty where nothing is asked', () => {
  expect(normalizeQuestion(' ?! ')).toBe('');
});
