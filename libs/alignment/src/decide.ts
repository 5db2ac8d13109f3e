import { matches, type Task } from '@mpa/answer-metrics';

/** What the two models said about one annotated image. */
export interface ParityInput {
  readonly task: Task;
  /** The answer that the L-VLM wrote together with its question. */
  readonly annotation: string;
  /** The L-VLM's answer to its own question, asked afresh; undefined where nobody asked it. */
  readonly selfCheck: string | undefined;
  /** The S-VLM's answer to that question. */
  readonly studentAnswer: string;
}

/**
 * Why a sample is selected: the L-VLM stands by its annotation and the S-VLM does not reach it; or it does, but for other
 * reasons than the L-VLM's; or it does, and is to keep it in mind.
 */
export const selectionReasons = ['student_differs', 'student_agrees_otherwise', 'rehearsal'] as const;

/** Why a sample is rejected: there is no answer to learn, the L-VLM contradicts itself, or the S-VLM knows already. */
export const rejectionReasons = ['annotation_empty', 'teacher_disagrees_with_itself', 'student_agrees'] as const;

/** One of the {@link selectionReasons}. */
export type SelectionReason = (typeof selectionReasons)[number];

/** One of the {@link rejectionReasons}. */
export type RejectionReason = (typeof rejectionReasons)[number];

/** Whether the S-VLM trains on a sample, and why. */
export type Decision =
  | { readonly selected: true; readonly reason: SelectionReason }
  | { readonly selected: false; readonly reason: RejectionReason };

/**
 * The Parity Identifier's rule (arXiv 2509.16633): a sample shows the parity gap where the L-VLM agrees with its own
 * annotation, as far as it was asked, and the S-VLM does not, both under the task's match rule. No answer from the S-VLM is a wrong
 * one.
 */
export function decide({ task, annotation, selfCheck, studentAnswer }: ParityInput): Decision {
  if (annotation.trim() === '') return { selected: false, reason: 'annotation_empty' };
  if (selfCheck !== undefined && !matches(task, annotation, selfCheck)) {
    return { selected: false, reason: 'teacher_disagrees_with_itself' };
  }
  if (matches(task, annotation, studentAnswer)) return { selected: false, reason: 'student_agrees' };
  return { selected: true, reason: 'student_differs' };
}

/**
 * Beyond that rule: a sample that the S-VLM gets right is selected too where the two models differ by more than `above` on the way
 * there. `discrepancy` leaves the answer itself out.
 */
export function decideByDiscrepancy(decision: Decision, discrepancy: number | undefined, above: number): Decision {
  if (decision.reason !== 'student_agrees' || discrepancy === undefined || discrepancy <= above) return decision;
  return { selected: true, reason: 'student_agrees_otherwise' };
}

/**
 * Beyond that rule: a `share` of what the S-VLM gets right is selected as well, so that learning the rest does not make it forget. `draw`
 * in [0, 1) is the sample's own.
 */
export function decideToRehearse(decision: Decision, share: number, draw: number): Decision {
  if (decision.reason !== 'student_agrees' || draw >= share) return decision;
  return { selected: true, reason: 'rehearsal' };
}
