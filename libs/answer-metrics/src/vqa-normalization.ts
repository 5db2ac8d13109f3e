import { split, strip } from './python-text.js';

// In the official order, which does not matter: every test below looks at the original text.
const marks = ';/[]"{}()=+\\_-><@`,?!';

// Periods removed per text: the official code passes the flag re.UNICODE, which is 32, where a count is expected.
const periodLimit = 32;

const numbers = new Map(
  ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'].map((word, value) => [
    word,
    String(value),
  ]),
).set('none', '0');

const articles = new Set(['a', 'an', 'the']);

// Forms that the official table restores when exactly one of their apostrophes is missing.
const contractions = `
  ain't aren't can't could've couldn't couldn't've didn't doesn't don't hadn't hadn't've hasn't haven't he'd he'd've
  he's how'd how'll how's isn't it'd it'd've it'll ma'am mightn't mightn't've might've mustn't must've needn't not've
  o'clock oughtn't 'ow's'at shan't she'd've should've shouldn't shouldn't've somebody'd've somebody'll somebody's
  someone'd someone'd've someone'll someone's something'd something'd've something'll that's there'd there'd've
  there're there's they'd they'd've they'll they're they've 'twas wasn't we'd've we've weren't what'll what're what's
  what've when's where'd where's where've who'd who'd've who'll who's who've why'll why're why's won't would've
  wouldn't wouldn't've y'all y'all'll y'all'd've you'd you'd've you'll you're you've`;

const restored = new Map(
  split(contractions).flatMap((form) =>
    [...form.matchAll(/'/g)].map(({ index }): [string, string] => [form.slice(0, index) + form.slice(index + 1), form]),
  ),
).set("somebody'd", 'somebodyd'); // The official table has this one the wrong way round.

/** How one copy of the VQA evaluation reads digits: as ASCII (Python 2) or as Unicode (Python 3). */
export interface DigitPatterns {
  /** A comma between two digits. */
  readonly comma: RegExp;
  /** A period that no digit follows, global. */
  readonly period: RegExp;
}

/** Line breaks and tabs become spaces, then white space at the ends goes (VQA `vqaEval.py`, evaluate). */
export function cleanAnswer(text: string): string {
  return strip(text.replace(/[\n\t]/g, ' '));
}

/**
 * VQA `processPunctuation`: a mark goes away where the text has it next to a space, or anywhere has digit, comma,
 * digit; else it becomes a space. Then the first 32 periods that no digit follows go.
 */
export function processPunctuation(text: string, { comma, period }: DigitPatterns): string {
  const digitComma = comma.test(text);
  let out = text;
  for (const mark of marks) {
    const drop = digitComma || text.includes(`${mark} `) || text.includes(` ${mark}`);
    out = out.replaceAll(mark, drop ? '' : ' ');
  }
  let removed = 0;
  return out.replace(period, (match) => (removed++ < periodLimit ? '' : match));
}

/** VQA `processDigitArticle`: lower case, number words to ten as digits, no articles, contractions with their apostrophes. */
export function processDigitArticle(text: string): string {
  return split(text.toLowerCase())
    .map((word) => numbers.get(word) ?? word)
    .filter((word) => !articles.has(word))
    .map((word) => restored.get(word) ?? word)
    .join(' ');
}
