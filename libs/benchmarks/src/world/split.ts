import { hash } from './random.js';

/** Which half of the world a sample belongs to. */
export type Split = 'train' | 'test';

/**
 * The split in which a word or number may be drawn: one in ten is kept for `test`, decided by its hash, so that no
 * text of a test image was ever seen in training. Case does not matter.
 */
export function splitOf(text: string): Split {
  return hash(`split:${text.toLowerCase()}`) % 10 === 0 ? 'test' : 'train';
}
