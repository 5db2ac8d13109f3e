import { DecisionStatus } from '@mpa/contracts';
import { topics } from '@mpa/service-kit';
import type { Streams } from '@mpa/streams';

/** What is in a run's streams. */
export interface RecordCheck {
  /** Images without an annotation or a decision. */
  readonly lost: number;
  /** Records whose id their topic has already. */
  readonly twice: number;
  /** Milliseconds from an annotation's writing to its decision's. */
  readonly latency: { readonly median: number; readonly p99: number; readonly longest: number };
  /** Mean bytes of a record's value, by topic. */
  readonly bytes: Readonly<Record<'images' | 'annotations' | 'decisions', number>>;
  readonly selected: number;
}

/** Looks at every record of a run of `count` images, all of which can be used. */
export async function checkRecords(streams: Streams, count: number): Promise<RecordCheck> {
  const annotated = new Map<string, number>();
  const bytes = { images: 0, annotations: 0, decisions: 0 };
  const milliseconds: number[] = [];
  let [twice, decided, selected] = [0, 0, 0];
  for await (const { value } of streams.readAll(topics.images.name)) bytes.images += value.length / count;
  for await (const { id, timestamp, value } of streams.readAll(topics.annotations.name)) {
    if (annotated.has(id)) twice += 1;
    annotated.set(id, timestamp);
    bytes.annotations += value.length / count;
  }
  const unannotated = count - annotated.size;
  for await (const record of streams.readAll(topics.decisions.name)) {
    const since = annotated.get(record.id);
    annotated.delete(record.id);
    if (since === undefined) twice += 1;
    else milliseconds.push(record.timestamp - since);
    decided += 1;
    bytes.decisions += record.value.length / count;
    if (topics.decisions.decode(record).status === DecisionStatus.SELECTED) selected += 1;
  }
  milliseconds.sort((a, b) => a - b);
  const at = (share: number): number => milliseconds[Math.floor(share * (milliseconds.length - 1))] ?? NaN;
  const latency = { median: at(0.5), p99: at(0.99), longest: at(1) };
  return { lost: unannotated + count - decided, twice, latency, bytes, selected };
}
