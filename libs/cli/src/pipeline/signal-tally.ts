import type { SignalCost } from '@mpa/console';
import { AnnotationStatus, create, SignalsSchema, toBinary, type Annotation, type Signals } from '@mpa/contracts';

/** By the model run that gives them: the answer's confidence and attention come from one. */
const KINDS = {
  confidence_and_attention: { run: 'score', fields: ['answerLogProbabilityPerCharacter', 'attention'] },
  n_best: { run: 'n_best', fields: ['nBest'] },
  rationale: { run: 'rationale', fields: ['rationale', 'rationalePrompt'] },
} as const satisfies Record<string, { run: string; fields: readonly (keyof Signals)[] }>;

/** Sums up what signals cost and which are missing, annotation by annotation. */
export class SignalTally {
  #modelSeconds = 0;
  readonly #sums = new Map<string, { records: number; seconds: number; bytes: number }>();
  readonly #missing: Record<string, number> = {};

  add(annotation: Annotation): void {
    for (const kind of annotation.missingSignals) this.#missing[kind] = (this.#missing[kind] ?? 0) + 1;
    if (annotation.status !== AnnotationStatus.ANNOTATED) return;
    this.#modelSeconds += annotation.cost?.modelSeconds ?? 0;
    for (const [kind, { run, fields }] of Object.entries(KINDS)) {
      const bytes = bytesOf(annotation, fields);
      if (bytes === 0) continue;
      const sum = this.#sums.get(kind) ?? { records: 0, seconds: 0, bytes: 0 };
      this.#sums.set(kind, {
        records: sum.records + 1,
        seconds: sum.seconds + (annotation.cost?.signalSeconds[run] ?? 0),
        bytes: sum.bytes + bytes,
      });
    }
  }

  /** By kind; one that no annotation has is left out. */
  get costs(): Record<string, SignalCost> {
    const costs = [...this.#sums].map(([kind, { records, seconds, bytes }]): [string, SignalCost] => [
      kind,
      { records, share: this.#modelSeconds > 0 ? seconds / this.#modelSeconds : 0, bytesPerRecord: bytes / records },
    ]);
    return Object.fromEntries(costs);
  }

  /** Annotations that lack a signal which was asked for, by kind. */
  get missing(): Record<string, number> {
    return this.#missing;
  }
}

/** Size of some of a record's signals in its encoding. */
function bytesOf({ signals }: Annotation, fields: readonly (keyof Signals)[]): number {
  if (!signals) return 0;
  const some = Object.fromEntries(fields.map((field) => [field, signals[field]]));
  return toBinary(SignalsSchema, create(SignalsSchema, some)).length;
}
