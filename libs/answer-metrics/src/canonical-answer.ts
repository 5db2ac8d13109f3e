import { spelledNumbers } from './spelled-numbers.js';

// Signs and names of the units that are written on either side of a number, or left out.
const unitOf = new Map([
  ['%', '%'],
  ['percent', '%'],
  ['$', '$'],
  ['dollar', '$'],
  ['dollars', '$'],
  ['€', '€'],
  ['euro', '€'],
  ['euros', '€'],
  ['£', '£'],
  ['pound', '£'],
  ['pounds', '£'],
  ['¥', '¥'],
  ['yen', '¥'],
]);
const unitSign = /^[%$€£¥]$/;

const fillers = new Set(['a', 'an', 'the', 'and']);

const numeric = /^-?\d/;
const thousandsComma = /(?<=(?<![\d.])\d{1,3}(?:,\d{3})*),(?=\d{3}(?!\d))/g;
// A number with its sign, a word, or a unit's sign.
const token = /(?:(?<![\p{L}\p{N}.])-)?(?:\d+(?:\.\d+)*|(?<!\d)\.\d+)|(?:[\p{L}\p{M}]|(?!\d)\p{N})+|[%$€£¥]/gu;

/** A free-text answer without what two writers of the same answer may do differently. */
export interface CanonicalAnswer {
  /** Lower-case words without punctuation, articles and "and"; numbers in digits, without separators and idle zeros. */
  readonly words: readonly string[];
  /** Those of `% $ € £ ¥` that stand beside a number, as a sign or as a word. */
  readonly units: ReadonlySet<string>;
}

/** Brings a free-text answer into the form that the match rules compare. */
export function canonicalAnswer(text: string): CanonicalAnswer {
  const tokens = spelledNumbers(tokenize(text)).map(withoutIdleZeros);
  const units = new Set<string>();
  const words = tokens.filter((word, index) => {
    const unit = unitOf.get(word);
    if (unit === undefined) return true;
    const besideNumber = [tokens[index - 1], tokens[index + 1]].some((other) => numeric.test(other ?? ''));
    if (besideNumber) units.add(unit);
    return !besideNumber && !unitSign.test(word);
  });
  // An article has a word after it: the "a" of "vitamin a" is none, nor is an answer that is just "A".
  return { words: words.filter((word, index) => index === words.length - 1 || !fillers.has(word)), units };
}

function tokenize(text: string): string[] {
  return (
    text
      .normalize('NFKC')
      .toLowerCase()
      .replace(/['‘’]/g, '')
      .replaceAll('\u2212', '-')
      .replace(/\bper cent\b/g, 'percent')
      .replace(/-([$€£¥])(?=[\d.])/g, '$1-')
      .replace(thousandsComma, '')
      .match(token) ?? []
  );
}

function withoutIdleZeros(word: string): string {
  const decimal = /^(-?)(\d*)\.(\d+)$/.exec(word);
  if (decimal === null) return word;
  const [, sign, whole, fraction] = decimal;
  const significant = fraction!.replace(/0+$/, '');
  return `${sign}${whole || '0'}${significant && `.${significant}`}`;
}
