import { createHash } from 'node:crypto';
import { decide, decideByDiscrepancy, decideToRehearse, discrepancies, pathToAnswerDiscrepancy } from '@mpa/alignment';
import type { Decision as Verdict } from '@mpa/alignment';
import { matches } from '@mpa/answer-metrics';
import { create, DecisionSchema, DecisionStatus, DiscrepanciesSchema, SignalsSchema, taskName } from '@mpa/contracts';
import type { Annotation, Decision } from '@mpa/contracts';
import type { SeenImage, VisionModel } from '@mpa/inference';
import { answerPrompt } from '@mpa/prompts';
import type { ParityConfig } from './parity-config.js';
import { measured, studentSignals } from './student-signals.js';

/** An annotation and its image as the S-VLM sees it. */
export interface Asked {
  readonly annotation: Annotation;
  readonly image: SeenImage;
}

/**
 * Has the S-VLM answer the questions, in one batch, and decides by the parity rule about each; compares the two models' signals
 * where the L-VLM sent some.
 */
export async function decideAnnotations(
  model: VisionModel,
  asked: readonly Asked[],
  { selectAgreeing, rehearse }: Pick<ParityConfig, 'selectAgreeing' | 'rehearse'>,
): Promise<Decision[]> {
  if (asked.length === 0) return [];
  const answers = await model.answer(
    asked.map(({ annotation, image }) => ({ image, text: answerPrompt(annotation.question) })),
  );
  const signalled = asked.flatMap(({ annotation: { question, answer, signals }, image }, i) =>
    signals ? [{ i, image, question, answer, teacher: signals }] : [],
  );
  const found = await studentSignals(model, signalled);
  const signalsOf = new Map(signalled.map(({ i }, at) => [i, create(SignalsSchema, found[at])]));
  return asked.map(({ annotation }, i) => {
    const studentAnswer = answers[i]!.text;
    const { answer, signals } = annotation;
    const selfCheck = annotation.unchecked ? undefined : annotation.selfCheck;
    const task = taskName(annotation.task);
    const verdict = decide({ task, annotation: answer, selfCheck, studentAnswer });
    const orRehearsed = (decision: Verdict): Verdict =>
      decideToRehearse(decision, rehearse, drawOf(annotation.sampleId));
    const student = { studentAnswer, studentModelId: model.id };
    const studentSignals = signalsOf.get(i);
    if (!signals || !studentSignals) return decisionOf(annotation, orRehearsed(verdict), student);
    const differ = discrepancies(measured(signals), measured(studentSignals), matches(task, answer, studentAnswer));
    const final =
      selectAgreeing === false
        ? verdict
        : decideByDiscrepancy(verdict, pathToAnswerDiscrepancy(differ), selectAgreeing.above);
    const compared = { signals, studentSignals, discrepancies: create(DiscrepanciesSchema, differ) };
    return decisionOf(annotation, orRehearsed(final), { ...student, ...compared });
  });
}

/** A number in [0, 1) of a sample's own, evenly spread over samples. */
function drawOf(sampleId: string): number {
  return createHash('sha256').update(`rehearse ${sampleId}`).digest().readUInt32BE() / 2 ** 32;
}

/** The decision about an annotation that the S-VLM could not be asked about. */
export function rejected(
  annotation: Annotation,
  cause: { readonly reason: string; readonly detail: string },
): Decision {
  return decisionOf(annotation, { selected: false, ...cause }, {});
}

function decisionOf(
  { sampleId, runId, task, image, question, answer, selfCheck, unchecked }: Annotation,
  { selected, reason, detail = '' }: Pick<Verdict, 'selected'> & { readonly reason: string; readonly detail?: string },
  student: Partial<Pick<Decision, 'studentAnswer' | 'studentModelId' | 'signals' | 'studentSignals' | 'discrepancies'>>,
): Decision {
  return create(DecisionSchema, {
    ...{ sampleId, runId, task, question, answer, selfCheck, unchecked },
    ...(image && { image }),
    status: selected ? DecisionStatus.SELECTED : DecisionStatus.REJECTED,
    cause: { reason, detail },
    weight: selected ? 1 : 0,
    ...student,
  });
}
