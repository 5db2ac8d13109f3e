import type { SignalCost } from '@mpa/console';
import { AnnotationStatus, create, SignalsSchema, toBinary, type Annotation, type Signals } from '@mpa/contracts';
import { topics } from '@mpa/service-kit';
import type { Streams } from '@mpa/streams';

/** By the model run that gives them: the answer's confidence and attention come from one. */
const KINDS = {
  confidence_and_attention: { run: 'score', fields: ['answerLogProbabilityPerCharacter', 'attention'] },
  n_best: { run: 'n_best', fields: ['nBest'] },
  rationale: { run: 'rationale', fields: ['rationale', 'rationalePrompt'] },
} as const satisfies Record<string, { run: string; fields: readonly (keyof Signals)[] }>;

/** Sums up what signals cost over a run's annotations; a kind that no annotation has is left out. */
export async function signalCosts(streams: Streams): Promise<Record<string, SignalCost>> {
  let modelSeconds = 0;
  const sums = new Map<string, { records: number; seconds: number; bytes: number }>();
  for await (const { message: annotation } of topics.annotations.read(streams)) {
    if (annotation.status !== AnnotationStatus.ANNOTATED) continue;
    modelSeconds += annotation.cost?.modelSeconds ?? 0;
    for (const [kind, { run, fields }] of Object.entries(KINDS)) {
      const bytes = bytesOf(annotation, fields);
      if (bytes === 0) continue;
      const sum = sums.get(kind) ?? { records: 0, seconds: 0, bytes: 0 };
      sums.set(kind, {
        records: sum.records + 1,
        seconds: sum.seconds + (annotation.cost?.signalSeconds[run] ?? 0),
        bytes: sum.bytes + bytes,
      });
    }
  }
  const costs = [...sums].map(([kind, { records, seconds, bytes }]): [string, SignalCost] => [
    kind,
    { records, share: modelSeconds > 0 ? seconds / modelSeconds : 0, bytesPerRecord: bytes / records },
  ]);
  return Object.fromEntries(costs);
}

/** Size of some of a record's signals in its encoding. */
function bytesOf({ signals }: Annotation, fields: readonly (keyof Signals)[]): number {
  if (!signals) return 0;
  const some = Object.fromEntries(fields.map((field) => [field, signals[field]]));
  return toBinary(SignalsSchema, create(SignalsSchema, some)).length;
}
