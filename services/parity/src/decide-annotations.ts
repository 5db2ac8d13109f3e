import { decide, sampleWeight } from '@mpa/alignment';
import type { Decision as Verdict } from '@mpa/alignment';
import { create, DecisionSchema, DecisionStatus, taskName } from '@mpa/contracts';
import type { Annotation, Decision } from '@mpa/contracts';
import type { SeenImage, VisionModel } from '@mpa/inference';
import { answerPrompt } from '@mpa/prompts';

/** An annotation and its image as the S-VLM sees it. */
export interface Asked {
  readonly annotation: Annotation;
  readonly image: SeenImage;
}

/** Has the S-VLM answer the questions, in one batch, and decides by the parity rule about each. */
export async function decideAnnotations(model: VisionModel, asked: readonly Asked[]): Promise<Decision[]> {
  if (asked.length === 0) return [];
  const answers = await model.answer(
    asked.map(({ annotation, image }) => ({ image, text: answerPrompt(annotation.question) })),
  );
  return asked.map(({ annotation }, i) => {
    const studentAnswer = answers[i]!.text;
    const { task, answer, selfCheck } = annotation;
    const verdict = decide({ task: taskName(task), annotation: answer, selfCheck, studentAnswer });
    return decisionOf(annotation, verdict, { studentAnswer, studentModelId: model.id, weight: sampleWeight(verdict) });
  });
}

/** The decision about an annotation that the S-VLM could not be asked about. */
export function rejected(
  annotation: Annotation,
  cause: { readonly reason: string; readonly detail: string },
): Decision {
  return decisionOf(annotation, { selected: false, ...cause }, {});
}

function decisionOf(
  { sampleId, runId, task, image, question, answer, selfCheck }: Annotation,
  { selected, reason, detail = '' }: Pick<Verdict, 'selected'> & { readonly reason: string; readonly detail?: string },
  student: Partial<Pick<Decision, 'studentAnswer' | 'studentModelId' | 'weight'>>,
): Decision {
  return create(DecisionSchema, {
    ...{ sampleId, runId, task, question, answer, selfCheck },
    ...(image && { image }),
    status: selected ? DecisionStatus.SELECTED : DecisionStatus.REJECTED,
    cause: { reason, detail },
    ...student,
  });
}
