import type { Task } from '@mpa/answer-metrics';
import { AnnotationStatus } from '@mpa/contracts';
import type { Annotation, AnnotationSchema, MessageInitShape, WrittenAnnotation } from '@mpa/contracts';
import type { Answer, SeenImage, VisionModel } from '@mpa/inference';
import { answerPrompt } from '@mpa/prompts';
import type { AnnotatorConfig } from './annotator-config.js';
import { Candidates } from './candidates.js';
import type { QuestionCounts } from './question-counts.js';
import { signalsOf } from './signals.js';
import { taskPrompt } from './task-prompt.js';

/** An image to annotate. */
export interface Sample {
  readonly task: Task;
  readonly image: SeenImage;
  /** Its question and answer, where they were written elsewhere. */
  readonly written?: Pick<WrittenAnnotation, 'question' | 'answer' | 'promptId'> | undefined;
}

/** The part of an annotation record that the model decides. */
export type Annotated = Pick<
  Annotation,
  'status' | 'question' | 'answer' | 'selfCheck' | 'promptId' | 'modelId' | 'answerLogProbability'
> &
  Pick<MessageInitShape<typeof AnnotationSchema>, 'candidates' | 'cost' | 'signals' | 'skipped'>;

/**
 * Writes a question and an answer for each image that comes without, in one batch: the likeliest text first (or a drawn one), and where that cannot be used
 * (it is no question and answer, or asked too often over the corpus) further ones, drawn. Then the model answers each question
 * afresh, and tells what the configuration asks for of its first answer, on the same vision features.
 *
 * `corpus` counts the questions taken; when the model fails, it is as before. The cost in the records counts from `began`.
 */
export async function annotate(
  model: VisionModel,
  samples: readonly Sample[],
  corpus: QuestionCounts,
  config: AnnotatorConfig,
  began = performance.now(),
): Promise<Annotated[]> {
  const all = samples.map(({ task, image, written }) => {
    const candidates = new Candidates(task, corpus);
    if (written) candidates.take(written);
    const prompt = written ? { id: written.promptId, text: '' } : taskPrompt(task, config.prompts);
    return { task, image, prompt, candidates };
  });
  try {
    await write(
      model,
      all.filter(({ candidates }) => !candidates.chosen),
      config,
    );
    const asked = all.flatMap(({ task, image, candidates: { chosen } }) =>
      chosen ? [{ task, image, ...chosen }] : [],
    );
    const selfChecks =
      asked.length === 0
        ? []
        : await model.answer(asked.map(({ image, question }) => ({ image, text: answerPrompt(question) })));
    const { found, seconds } = await signalsOf(model, asked, config);
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

interface Writing {
  readonly image: SeenImage;
  readonly prompt: { readonly text: string };
  readonly candidates: Candidates;
}

async function write(model: VisionModel, all: readonly Writing[], config: AnnotatorConfig): Promise<void> {
  if (all.length === 0) return;
  const ask = ({ image, prompt: { text } }: Writing): { image: SeenImage; text: string } => ({ image, text });
  const { candidates, likeliestFirst, temperature, seed } = config;
  const drawOf = (some: readonly Writing[], answers: number, from: number): Promise<Answer[][]> =>
    model.sample(some.map(ask), { answers, temperature, seed: seed + from });
  const first = likeliestFirst ? await model.answer(all.map(ask)) : (await drawOf(all, 1, 0)).flat();
  all.forEach((each, i) => each.candidates.offer(first[i]!.text));
  const open = all.filter((each) => !each.candidates.chosen);
  if (open.length === 0 || candidates === 1) return;
  const more = await drawOf(open, candidates - 1, likeliestFirst ? 0 : 1);
  open.forEach((each, i) => more[i]!.forEach(({ text }) => each.candidates.offer(text)));
}
