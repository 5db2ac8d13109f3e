import fc from 'fast-check';
import { expect, it } from 'vitest';
import { rationalePrompt, splitRationale } from './rationale.js';

it('puts the question into the template, as it is', () => {
  expect(rationalePrompt('What costs $& now?', 'Why? {question} {question}')).toBe(
    'Why? What costs $& now? What costs $& now?',
  );
  expect(rationalePrompt('What is it?')).toContain('What is it?');
});

it.each([
  [
    '1. The left sign is red.\n2. It says stop.\nSo: stop',
    ['1. The left sign is red.\n', '2. It says stop.\n', 'So: stop'],
  ],
  ['It is a lemon. Lemons are citrus fruit! Citrus', ['It is a lemon. ', 'Lemons are citrus fruit! ', 'Citrus']],
  ['The bar is 3.5 high', ['The bar is 3.5 high']],
  ['...', []],
  ['', []],
  ['one\n\n ', ['one\n\n ']],
])('cuts %j into steps', (text, steps) => {
  expect(splitRationale(text)).toEqual(steps);
});

it('cuts at other breaks when told to', () => {
  expect(splitRationale('stop, main street, 12', ', ')).toEqual(['stop, ', 'main street, ', '12']);
});

it('loses nothing of a text that says something', () => {
  const texts = fc.array(fc.constantFrom('a', 'É', '7', '.', '. ', '\n', '1. ', '; ', ' ', '?! '), { maxLength: 30 });
  fc.assert(
    fc.property(texts, (parts) => {
      const text = parts.join('');
      const steps = splitRationale(text);
      expect(steps.join('')).toBe(/[\p{L}\p{N}]/u.test(text) ? text : '');
      for (const step of steps) expect(step).toMatch(/[\p{L}\p{N}]/u);
    }),
  );
});
