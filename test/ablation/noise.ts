import { decide } from '@mpa/alignment';
import { matches } from '@mpa/answer-metrics';
import { DecisionStatus, taskName } from '@mpa/contracts';
import type { Decision } from '@mpa/contracts';
import { seededRandom } from '@mpa/trainer';

/** Decisions on annotations of which some are wrong on purpose. */
export interface Noisy {
  /** Each annotation with a new decision about it. */
  readonly decisions: readonly Decision[];
  /** Sample ids of the wrong ones. */
  readonly wrong: ReadonlySet<string>;
}

/**
 * Gives that share of the annotations the answer of another one of the same task (one that does not match), and decides again by the
 * parity rule. What the L-VLM answers when it is asked afresh, and what the S-VLM answers, stays as it was.
 */
export function withNoise(decisions: readonly Decision[], share: number, seed: number): Noisy {
  const { uniform } = seededRandom(seed);
  const wrong = new Set<string>();
  const noisy = decisions.map((decision) => {
    const spoilt = uniform() < share;
    const from = Math.floor(uniform() * decisions.length);
    if (!spoilt) return decision;
    const task = taskName(decision.task);
    const others = [...decisions.slice(from), ...decisions.slice(0, from)];
    const other = others.find((o) => o.task === decision.task && !matches(task, decision.answer, o.answer));
    if (!other) return decision;
    wrong.add(decision.sampleId);
    return decidedAgain(decision, other.answer);
  });
  return { decisions: noisy, wrong };
}

/** The decision, had the L-VLM annotated this answer; without the signals, which are of the other answer. */
function decidedAgain(decision: Decision, answer: string): Decision {
  const { selfCheck, studentAnswer } = decision;
  const { selected, reason } = decide({ task: taskName(decision.task), annotation: answer, selfCheck, studentAnswer });
  const { signals, studentSignals, discrepancies, ...rest } = decision;
  void [signals, studentSignals, discrepancies];
  return {
    ...rest,
    answer,
    status: selected ? DecisionStatus.SELECTED : DecisionStatus.REJECTED,
    cause: { ...decision.cause!, reason },
    weight: selected ? 1 : 0,
  };
}
