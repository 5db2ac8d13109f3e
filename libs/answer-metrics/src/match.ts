import { canonicalAnswer, type CanonicalAnswer } from './canonical-answer.js';
import { levenshteinSimilarity } from './levenshtein.js';
import { chartqaTolerance } from './relaxed-accuracy.js';
import type { Task } from './task.js';

// One slip in ten characters. ANLS's own 0.5 gives part of the credit; as a yes or no it would call "stop" a "shop".
const textSimilarity = 0.9;

interface Answer extends CanonicalAnswer {
  readonly raw: string;
}

const rules: Record<Task, (a: Answer, b: Answer) => boolean> = {
  textvqa: isSameText,
  okvqa: isSameText,
  stvqa: (a, b) => isSameText(a, b) || isSimilarText(a, b),
  chartqa: (a, b) => isSameText(a, b) || isCloseQuantity(a, b),
};

/**
 * Whether two models' answers to one question say the same under the task's rule. Neither is the truth, so the rule is
 * symmetric; it compares whole answers, so that "no" is not in "nokia".
 *
 * All tasks: case, punctuation, articles, "and", spaces between words, number words and thousands separators make no
 * difference. A percent or currency sign may be left out by one of them, but not differ. An answer without letters
 * and digits matches only itself.
 *
 * - textvqa, okvqa: equal, as their soft accuracy asks.
 * - stvqa: equal, or the same digits and a Levenshtein similarity of 0.9 or more.
 * - chartqa: equal, or numbers within 5 % of the larger one, so that whatever is right against the other in either
 *   direction matches. A percentage also matches its fraction (12 %, 0.12); one may leave out the unit's word. Two
 *   plain numbers from 1800 to 2099 are read as years, which must be equal; the metric itself would take any year for
 *   any other.
 */
export function matches(task: Task, a: string, b: string): boolean {
  const [left, right] = [a, b].map((raw): Answer => ({ raw, ...canonicalAnswer(raw) })) as [Answer, Answer];
  if (left.words.length === 0 || right.words.length === 0) return a.trim() === b.trim();
  return haveCompatibleUnits(left, right) && rules[task](left, right);
}

function haveCompatibleUnits(a: Answer, b: Answer): boolean {
  if (a.units.size === 0 || b.units.size === 0) return true;
  return a.units.size === b.units.size && [...a.units].every((unit) => b.units.has(unit));
}

function isSameText(a: Answer, b: Answer): boolean {
  return unspaced(a) === unspaced(b);
}

function isSimilarText(a: Answer, b: Answer): boolean {
  const [left, right] = [unspaced(a), unspaced(b)];
  return digitsOf(left) === digitsOf(right) && levenshteinSimilarity(left, right) >= textSimilarity;
}

// "ice cream" is "icecream", but "1 2" is not "12".
function unspaced({ words }: Answer): string {
  return words.join(' ').replace(/(?<!\d) | (?!\d)/g, '');
}

function digitsOf(text: string): string {
  return text.replace(/\P{N}/gu, '');
}

function isCloseQuantity(a: Answer, b: Answer): boolean {
  const [left, right] = [quantityOf(a), quantityOf(b)];
  if (left === null || right === null || (isYear(a) && isYear(b))) return false;
  if (left.unit !== right.unit && left.unit !== '' && right.unit !== '') return false;
  return isClose(left.value, right.value) || isClose(left.value / partsOf(a), right.value / partsOf(b));
}

function partsOf({ units }: Answer): number {
  return units.has('%') ? 100 : 1;
}

function quantityOf({ words: [number, ...unit] }: Answer): { value: number; unit: string } | null {
  const value = Number(number);
  return Number.isFinite(value) && !unit.some((word) => /\p{N}/u.test(word)) ? { value, unit: unit.join(' ') } : null;
}

function isYear({ raw }: Answer): boolean {
  return /^(?:1[89]|20)\d\d\.?$/.test(raw.trim());
}

function isClose(a: number, b: number): boolean {
  return Math.abs(a - b) <= chartqaTolerance * Math.max(Math.abs(a), Math.abs(b));
}
