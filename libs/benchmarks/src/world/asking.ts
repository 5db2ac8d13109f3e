import type { DrawnQuestion } from './drawn-sample.js';
import type { Random } from './random.js';

/** How many people answer a question of TextVQA and OK-VQA. */
export const ANSWERERS = 10;

/** A question with the answers of ten people: most say `answer`, a few one of `also` (as they would say it too). */
export function askedOfTen(
  random: Random,
  question: string,
  answer: string,
  also: readonly string[] = [],
): DrawnQuestion {
  const others = also.length > 0 ? random.int(1, 4) : 0;
  const answers = Array.from({ length: ANSWERERS }, (_, i) => (i < ANSWERERS - others ? answer : random.pick(also)));
  return { question, answer, answers };
}

/** A question with its one answer. */
export function asked(question: string, answer: string): DrawnQuestion {
  return { question, answer, answers: [answer] };
}

/** Fills `{slot}`s of a question and makes it start and end like one. */
export function phrase(template: string, slots: Readonly<Record<string, string>>): string {
  const filled = template.replace(/\{(\w+)\}/g, (_, slot: string) => slots[slot] ?? '');
  return `${filled.charAt(0).toUpperCase()}${filled.slice(1)}?`;
}
