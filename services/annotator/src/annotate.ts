import type { Task } from '@mpa/answer-metrics';
import { AnnotationStatus } from '@mpa/contracts';
import type { Annotation, AnnotationSchema, MessageInitShape } from '@mpa/contracts';
import type { SeenImage, VisionModel } from '@mpa/inference';
import { answerPrompt } from '@mpa/prompts';
import type { AnnotatorConfig } from './annotator-config.js';
import { Candidates } from './candidates.js';
import type { QuestionCounts } from './question-counts.js';
import { taskPrompt } from './task-prompt.js';

/** An image to annotate. */
export interface Sample {
  readonly task: Task;
  readonly image: SeenImage;
}

/** The part of an annotation record that the model decides. */
export type Annotated = Pick<
  Annotation,
  'status' | 'question' | 'answer' | 'selfCheck' | 'promptId' | 'modelId' | 'answerLogProbability'
> &
  Pick<MessageInitShape<typeof AnnotationSchema>, 'candidates' | 'skipped'>;

/**
 * Writes a question and an answer for each image, in one batch: the likeliest text first, and where that cannot be used
 * (it is no question and answer, or asked too often over the corpus) further ones, drawn. Then the model answers each question
 * afresh, and scores its first answer, on the same vision features.
 *
 * `corpus` counts the questions taken; when the model fails, it is as before.
 */
export async function annotate(
  model: VisionModel,
  samples: readonly Sample[],
  corpus: QuestionCounts,
  config: AnnotatorConfig,
): Promise<Annotated[]> {
  const all = samples.map((sample) => ({
    ...sample,
    prompt: taskPrompt(sample.task, config.prompts),
    candidates: new Candidates(sample.task, corpus),
  }));
  try {
    await write(model, all, config);
    const asked = all.flatMap(({ task, image, candidates: { chosen } }) =>
      chosen ? [{ image, text: answerPrompt(chosen.question), task, answer: chosen.answer }] : [],
    );
    const [selfChecks, scores] = asked.length === 0 ? [[], []] : [await model.answer(asked), await model.score(asked)];
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
        status: AnnotationStatus.ANNOTATED,
        selfCheck: selfChecks[at]!.text,
        answerLogProbability: scores[at]!,
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
  const ask = ({ image, prompt: { text } }: Writing): { image: SeenImage; text: string } => ({ image, text });
  const likeliest = await model.answer(all.map(ask));
  all.forEach(({ candidates }, i) => candidates.offer(likeliest[i]!.text));
  const open = all.filter(({ candidates }) => !candidates.chosen);
  if (open.length === 0 || config.candidates === 1) return;
  const { temperature, seed } = config;
  const drawn = await model.sample(open.map(ask), { answers: config.candidates - 1, temperature, seed });
  open.forEach(({ candidates }, i) => drawn[i]!.forEach(({ text }) => candidates.offer(text)));
}
