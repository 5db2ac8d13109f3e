import { DecisionStatus, taskName, type Decision, type Discrepancies, type Signals } from '@mpa/contracts';
import { topics } from '@mpa/service-kit';
import type { Streams } from '@mpa/streams';
import { localPath } from '@mpa/storage';

/** A decided sample as it leaves a run. */
export interface ExportedSample {
  readonly id: string;
  readonly task: string;
  /** Where its image lies: a path, or a URI that is no file's. */
  readonly image: string;
  readonly decision: 'selected' | 'rejected';
  readonly reason: string;
  readonly question: string;
  readonly answer: string;
  /** Null where nobody asked afresh. */
  readonly selfCheck: string | null;
  readonly studentAnswer: string;
  readonly weight: number;
  readonly signals: Signals | undefined;
  readonly studentSignals: Signals | undefined;
  readonly discrepancies: Discrepancies | undefined;
}

/** A run's decided samples, one at a time: the selected ones, or with `all` the rejected ones too. */
export async function* exportedSamples(
  streams: Streams,
  { all, signal }: { readonly all: boolean; readonly signal: AbortSignal },
): AsyncGenerator<ExportedSample> {
  for await (const { message: decision } of topics.decisions.read(streams, { signal })) {
    if (all || decision.status === DecisionStatus.SELECTED) yield sampleOf(decision);
  }
}

function sampleOf(decision: Decision): ExportedSample {
  const { sampleId: id, task, question, answer, studentAnswer, weight, signals, studentSignals, discrepancies } = decision; // prettier-ignore
  return {
    ...{ id, question, answer, studentAnswer, weight, signals, studentSignals, discrepancies },
    task: taskName(task),
    image: placeOf(decision.image?.uri ?? ''),
    decision: decision.status === DecisionStatus.SELECTED ? 'selected' : 'rejected',
    reason: decision.cause?.reason ?? '',
    selfCheck: decision.unchecked ? null : decision.selfCheck,
  };
}

function placeOf(uri: string): string {
  return uri.startsWith('file:') ? localPath(uri) : uri;
}
