import { describe, expect, it } from 'vitest';
import { stepSums } from './step-sums.js';

const tokens = (...texts: string[]): { text: string; logProbability: number }[] =>
  texts.map((text, i) => ({ text, logProbability: -(2 ** i) }));

describe('stepSums', () => {
  it('counts a token to the step in which it begins', () => {
    expect(stepSums(['One. ', 'Two.'], tokens('One', '. T', 'wo', '.'))).toEqual([-3, -12]);
  });

  it('leaves white space around the text out of account', () => {
    expect(stepSums(['One. ', 'Two.'], tokens(' ', '\nOne. ', 'Two.', '\n'))).toEqual([-3, -12]);
  });

  it('knows nothing of a text that the tokens are not of', () => {
    expect(stepSums(['One.'], tokens('Tw', 'o.'))).toBeUndefined();
    expect(stepSums(['One.'], [])).toBeUndefined();
  });
});
