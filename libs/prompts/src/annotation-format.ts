/** A question about an image and its answer. */
export interface QuestionAndAnswer {
  /** Ends with a question mark. */
  readonly question: string;
  readonly answer: string;
}

/** Longest question and answer that are taken, in characters: more is a model that has lost its way. */
const LONGEST = { question: 300, answer: 150 };

/** The text that a model is trained to write: `Question: What is it? Answer: a cat`. */
export function formatAnnotation({ question, answer }: QuestionAndAnswer): string {
  return `Question: ${question} Answer: ${answer}`;
}

/**
 * Finds the first question and its answer in what a model wrote. Understands the labels `Question`/`Q` and `Answer`/`A`
 * in any case, numbered, in bold or as keys of JSON, on one line or several, with words before and after; and a bare
 * `What is it? a cat`. A question keeps its mark, and gets one where the model left it out. Undefined when either part is
 * missing or far too long.
 */
export function parseAnnotation(text: string): QuestionAndAnswer | undefined {
  const found = fromJson(text) ?? fromLabels(plain(text)) ?? fromMark(plain(text));
  const question = tidyQuestion(found?.question ?? '');
  const answer = tidyAnswer(found?.answer ?? '');
  if (question === '' || answer === '') return undefined;
  return question.length > LONGEST.question || answer.length > LONGEST.answer ? undefined : { question, answer };
}

function fromJson(text: string): QuestionAndAnswer | undefined {
  const object = /\{[^{}]*\}/s.exec(text)?.[0];
  if (object === undefined) return undefined;
  try {
    const { question, answer } = lowerKeys(JSON.parse(object) as object);
    return typeof question === 'string' ? { question, answer: asText(answer) } : undefined;
  } catch {
    return undefined; // braces, but no JSON: read as prose
  }
}

function lowerKeys(value: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key.toLowerCase(), entry]));
}

function asText(value: unknown): string {
  return ['string', 'number', 'boolean'].includes(typeof value) ? String(value) : '';
}

/** Without the marks of Markdown, which models like to put around labels. */
function plain(text: string): string {
  return text
    .normalize('NFC')
    .replace(/\*\*|__|`+(json)?|^#+\s*/gm, '')
    .trim();
}

const LABELS = /(?:^|[\s([])(question|q|answer|ans|a)\s*#?\d*\s*[:：]/gi;

function fromLabels(text: string): QuestionAndAnswer | undefined {
  const labels = [...text.matchAll(LABELS)].map((match) => ({
    asks: match[1]!.toLowerCase().startsWith('q'),
    start: match.index,
    end: match.index + match[0].length,
  }));
  const first = labels.findIndex(({ asks }) => asks);
  const answers = labels.findIndex(({ asks }, i) => !asks && i > first);
  // "What is it? Answer: a cat" has only the second label.
  if (answers < 0) return first < 0 ? undefined : fromMark(text.slice(labels[first]!.end));
  const asked = labels.findLast(({ asks }, i) => asks && i < answers);
  const end = labels[answers + 1]?.start ?? text.length;
  return {
    question: text.slice(asked?.end ?? 0, labels[answers]!.start),
    answer: text.slice(labels[answers]!.end, end),
  };
}

function fromMark(text: string): QuestionAndAnswer | undefined {
  const [, question, answer] = /^([^?？]+[?？])(.*)$/s.exec(text) ?? [];
  return question === undefined ? undefined : { question, answer: answer ?? '' };
}

const QUOTES = /^["'“”‘’([]+|["'“”‘’)\]]+$/g;

function tidyQuestion(text: string): string {
  const line =
    text
      .trim()
      .split(/\n/)
      .findLast((part) => part.trim() !== '') ?? '';
  const words = squeeze(line)
    .replace(/^(?:[-•]|\d+[.)])\s+/, '')
    .replace(QUOTES, '');
  const asked = /^(.*?)[?？]/.exec(words)?.[1] ?? words.replace(/[.!:;,\s]+$/, '');
  return /[\p{L}\p{N}]/u.test(asked) ? `${asked.trim()}?` : '';
}

function tidyAnswer(text: string): string {
  const line = text.trim().split(/\n/)[0] ?? '';
  const words = squeeze(line)
    .replace(QUOTES, '')
    .replace(/(?<=[\p{L}\p{N}%])[.!;,]+$/u, '');
  return /[\p{L}\p{N}]/u.test(words) ? words.trim() : '';
}

function squeeze(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
