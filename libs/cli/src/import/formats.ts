import { z } from 'zod';

/** A question and its answer as a file has them, images by the names that it gives them. */
export interface FoundAnnotation {
  readonly images: readonly string[];
  readonly question: string;
  readonly answer: string;
  /** What the author answered when it was asked afresh, where the file tells. */
  readonly selfCheck?: string | undefined;
}

/** Reads a row; several turns of a conversation are several annotations. Undefined for a row that is none of this format. */
export type RowReader = (row: unknown) => readonly FoundAnnotation[] | undefined;

/** An answer may be a number; what a model's text was not understood for is null. */
const text = z.union([z.string(), z.number(), z.boolean(), z.null()]).transform((value) => String(value ?? ''));

/**
 * What the reference implementation of the paper writes: its annotations (`output.json`), or what a model answered to them, where
 * `predictions` is taken for the author's own. Source: github.com/vl2g/MPA, `write_to_json` and `write_to_json_PI` of scripts/utils/utils.py.
 */
const mpaRow = z
  .object({ image_path: z.string().min(1) })
  .and(
    z.union([
      z.object({ PA_question: text, PA_answer: text, predictions: text.optional() }),
      z.object({ predicted_question: text, predicted_answer: text }),
    ]),
  );

const mpa: RowReader = (row) => {
  const { data } = mpaRow.safeParse(row);
  if (!data) return undefined;
  const images = [data.image_path];
  if (!('PA_question' in data)) {
    return [{ images, question: asked(data.predicted_question), answer: data.predicted_answer }];
  }
  return [{ images, question: asked(data.PA_question), answer: data.PA_answer, selfCheck: data.predictions }];
};

/** Its pattern takes a question up to its mark, and leaves the mark out. */
function asked(question: string): string {
  const words = question.trim();
  return words === '' || words.endsWith('?') ? words : `${words}?`;
}

/** Two ways to name the turns (Hugging Face's chat, ShareGPT's), and to name images. */
const turn = z.union([
  z.object({ role: z.string(), content: text }),
  z.object({ from: z.string(), value: text }).transform(({ from, value }) => ({ role: from, content: value })),
]);
const names = z.union([z.string().transform((name) => [name]), z.array(z.string())]);
const turnsRow = z
  .object({ images: names.optional(), image: names.optional(), self_check: z.string().nullish() })
  .and(z.union([z.object({ messages: z.array(turn) }), z.object({ conversations: z.array(turn) })]));

const ASKS = new Set(['user', 'human']);
const ANSWERS = new Set(['assistant', 'gpt']);
const IMAGE_MARK = /\s*<image>\s*/g;

/** Every turn of a person that a model answers. */
const turns: RowReader = (row) => {
  const { data } = turnsRow.safeParse(row);
  if (!data) return undefined;
  const images = data.images ?? data.image ?? [];
  const all = 'messages' in data ? data.messages : data.conversations;
  const found = all.flatMap(({ role, content }, i) => {
    const next = all[i + 1];
    if (!ASKS.has(role) || !next || !ANSWERS.has(next.role)) return [];
    return [{ images, question: content.replace(IMAGE_MARK, ' ').trim(), answer: next.content }];
  });
  if (found.length === 0) return undefined;
  // Of which of several it would be the self-check, nobody can say.
  return found.length === 1 ? [{ ...found[0]!, selfCheck: data.self_check ?? undefined }] : found;
};

/** By the name of `--format`: what `mpa export` writes, and the reference implementation's own. */
export const rowReaders = {
  'mpa-json': mpa,
  llava: turns,
  qwen: turns,
  sharegpt: turns,
  jsonl: turns,
} as const satisfies Readonly<Record<string, RowReader>>;

/** A name of {@link rowReaders}. */
export type ImportFormat = keyof typeof rowReaders;
