import { describe, expect, it } from 'vitest';
import { Random } from './random.js';
import { splitOf } from './split.js';
import { drawNumber, drawWord, wordsOf } from './vocabulary.js';

describe('vocabulary', () => {
  it('has no word in both splits, and about a tenth in test', () => {
    const [train, test] = [wordsOf('train'), wordsOf('test')];
    const seen = new Set(train);
    expect(test.filter((word) => seen.has(word))).toEqual([]);
    expect(test.length / (train.length + test.length)).toBeGreaterThan(0.07);
    expect(test.length / (train.length + test.length)).toBeLessThan(0.13);
    for (const word of [...train, ...test]) expect(word).toMatch(/^[a-z]{3,7}$/);
  });

  it('draws words and numbers of the split only, in the length asked for', () => {
    const random = new Random('vocabulary');
    for (let i = 0; i < 300; i++) {
      const split = i % 2 ? 'train' : 'test';
      const word = drawWord(random, split, 4, 5);
      expect([splitOf(word), word.length === 4 || word.length === 5]).toEqual([split, true]);
      const number = drawNumber(random, split, 3);
      expect([splitOf(number), number.length]).toEqual([split, 3]);
    }
  });

  it('does not tell words apart by case', () => {
    expect(splitOf('Harbour')).toBe(splitOf('HARBOUR'));
  });
});
