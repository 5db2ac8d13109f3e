import type { Task } from '@mpa/answer-metrics';
import { AnnotationStatus } from '@mpa/contracts';
import type { Annotation, AnnotationSchema, MessageInitShape, WrittenAnnotation } from '@mpa/contracts';
import type { Teacher, TeacherAnswer } from '@mpa/inference';
import { answerPrompt } from '@mpa/prompts';
import type { AnnotatorConfig } from './annotator-config.js';
import { Candidates } from './candidates.js';
import type { QuestionCounts } from './question-counts.js';
import { signalsOf } from './signals.js';
import { taskPrompt } from './task-prompt.js';

/** An image to annotate. */
export interface Sample<Seen> {
  readonly task: Task;
  readonly image: Seen;
  /** Its question and answer, where they were written elsewhere. */
  readonly written?: Pick<WrittenAnnotation, 'question' | 'answer' | 'promptId'> | undefined;
}

/** Around the annotating of a batch. */
export interface Annotating {
  /** On the clock of `performance.now`: the cost in the records counts from then. */
  readonly began: number;
  readonly signal: AbortSignal;
}

/** The part of an annotation record that the model decides. */
export type Annotated = Pick<
  Annotation,
  'status' | 'question' | 'answer' | 'selfCheck' | 'promptId' | 'modelId' | 'answerLogProbability'
> &
  Pick<MessageInitShape<typeof AnnotationSchema>, 'candidates' | 'cost' | 'missingSignals' | 'signals' | 'skipped'>;

/**
 * Writes a question and an answer for each image that comes without, in one batch: the likeliest text first (or a drawn one), and where that cannot be used
 * (it is no question and answer, or asked too often over the corpus) further ones, drawn. Then the model answers each question
 * afresh, and tells what the configuration asks for of its first answer, on the same vision features.
 *
 * `corpus` counts the questions taken; when the model fails, it is as before.
 */
export async function annotate<Prepared, Seen>(
  model: Teacher<Prepared, Seen>,
  samples: readonly Sample<Seen>[],
  corpus: QuestionCounts,
  config: AnnotatorConfig,
  { began, signal }: Annotating,
): Promise<Annotated[]> {
  const all = samples.map(({ task, image, written }) => {
    const candidates = new Candidates(task, corpus);
    if (written) candidates.take(written);
    const prompt = written ? { id: written.promptId, text: '' } : taskPrompt(task, config.prompts);
    return { task, image, prompt, candidates };
  });
  try {
    const unwritten = all.filter(({ candidates }) => !candidates.chosen);
    await write(model, unwritten, config, signal);
    const asked = all.flatMap(({ task, image, candidates: { chosen } }) =>
      chosen ? [{ task, image, ...chosen }] : [],
    );
    const selfChecks =
      asked.length === 0
        ? []
        : await model.answer(
            asked.map(({ image, question }) => ({ image, text: answerPrompt(question) })),
            { purpose: 'self_check', signal },
          );
    const told = asked.map((question, i) => ({ ...question, said: selfChecks[i]! }));
    const { found, seconds } = await signalsOf(model, told, config, signal);
    const signalSeconds = Object.entries(seconds).map(([kind, s]) => [kind, s / asked.length]);
    const cost = {
      modelSeconds: (performance.now() - began) / 1000 / all.length,
      signalSeconds: Object.fromEntries(signalSeconds) as Record<string, number>,
    };
    let next = 0;
    return all.map(({ prompt, candidates: { chosen, counts, reason } }) => {
      const common = { promptId: prompt.id, modelId: model.id, candidates: counts };
      if (!chosen) {
        const skipped = { reason, detail: `none of ${counts.written} texts can be used` };
        return { ...common, status: AnnotationStatus.SKIPPED, skipped, question: '', answer: '', selfCheck: '' };
      }
      const at = next++;
      return {
        ...common,
        ...chosen,
        ...found[at]!,
        cost,
        status: AnnotationStatus.ANNOTATED,
        selfCheck: selfChecks[at]!.text,
      };
    });
  } catch (error) {
    for (const { candidates } of all) candidates.takeBack();
    throw error;
  }
}

interface Writing<Seen> {
  readonly image: Seen;
  readonly prompt: { readonly text: string };
  readonly candidates: Candidates;
}

async function write<Prepared, Seen>(
  model: Teacher<Prepared, Seen>,
  all: readonly Writing<Seen>[],
  config: AnnotatorConfig,
  signal: AbortSignal,
): Promise<void> {
  if (all.length === 0) return;
  const asking = { purpose: 'annotate', signal } as const;
  const ask = ({ image, prompt: { text } }: Writing<Seen>): { image: Seen; text: string } => ({ image, text });
  const { candidates, likeliestFirst, temperature, seed } = config;
  const drawOf = (some: readonly Writing<Seen>[], answers: number, from: number): Promise<TeacherAnswer[][]> =>
    model.sample(some.map(ask), { answers, temperature, seed: seed + from }, asking);
  const first = likeliestFirst ? await model.answer(all.map(ask), asking) : (await drawOf(all, 1, 0)).flat();
  all.forEach((each, i) => each.candidates.offer(first[i]!.text));
  const open = all.filter((each) => !each.candidates.chosen);
  if (open.length === 0 || candidates === 1) return;
  const more = await drawOf(open, candidates - 1, likeliestFirst ? 0 : 1);
  open.forEach((each, i) => more[i]!.forEach(({ text }) => each.candidates.offer(text)));
}
