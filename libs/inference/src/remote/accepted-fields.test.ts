import { describe, expect, it } from 'vitest';
import { fewerFields, optionalFields } from './accepted-fields.js';

describe('fewerFields', () => {
  it.each([
    ["Unsupported fields: {'logprobs', 'n'}", ['seed']],
    ['"top_logprobs" is not permitted', ['seed', 'n']],
    ['Bad Request', ['logprobs', 'seed']],
    ['an invalid seed in field no 3', ['logprobs', 'n']],
    ["Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.", ['max_completion_tokens', ...optionalFields]], // prettier-ignore
  ])('leaves out what is named, or else the last: %s', (words, expected) => {
    expect(fewerFields(optionalFields, words)).toEqual(expected);
  });

  it('ends when there is nothing to leave out', () => {
    expect(fewerFields([], 'Bad Request')).toBeUndefined();
    expect(fewerFields(['max_completion_tokens'], 'max_completion_tokens is wrong')).toBeUndefined();
  });
});
