import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  AnnotationStatus,
  DecisionStatus,
  taskName,
  type Annotation,
  type Decision,
  type Discrepancies,
} from '@mpa/contracts';
import { topics } from '@mpa/service-kit';
import { deadLetterTopic, type StreamRecord, type Streams } from '@mpa/streams';
import { AnalysisTally } from '../analysis/analysis.js';
import { measures } from '../analysis/measures.js';
import type { SampleDiscrepancies, SampleRow } from '../api.js';
import type { Counts } from './summary.js';

/** A sample as it is kept in memory: its row, what is searched, and where the whole record lies. */
export interface IndexedSample extends SampleRow {
  /** Question and answers in lower case. */
  readonly text: string;
  /** When its annotation was written, in milliseconds since 1970. */
  readonly written: number;
  readonly topic: 'annotations' | 'decisions';
  readonly partition: number;
  readonly offset: number;
}

/** Reason of a record that a service could not process at all. */
const FAILED = 'processing-failed';
/** Records read between two looks at whatever else the process has to do. */
const TURN = 256;

/** Topics in the order in which a sample goes through them, so that a later record finds its earlier one. */
const READ = {
  images: topics.images.name,
  annotations: topics.annotations.name,
  decisions: topics.decisions.name,
  failedImages: deadLetterTopic(topics.images.name),
  failedAnnotations: deadLetterTopic(topics.annotations.name),
};
type Source = keyof typeof READ;
/** What is counted: records by topic, and outcomes with their reason. */
type Counted = Source | `${'skipped' | 'selected' | 'rejected'} ${string}`;

/**
 * The samples of a run's log, with counts, in memory; each `extend` reads only what is new. About 1 kB a sample: signals stay
 * in the log.
 */
export class SampleIndex {
  /** In the order in which their annotations were first seen. */
  readonly samples: IndexedSample[] = [];
  readonly analysis = new AnalysisTally();
  /** Grows when a record was read. */
  version = 0;
  /** Records that are none of their topic; they count, and are not shown. */
  undecodable = 0;
  readonly #places = new Map<string, number>();
  readonly #next = new Map<string, Map<number, number>>();
  readonly #counts = new Map<Counted, number>();

  constructor(private readonly streams: Streams) {}

  /**
   * Reads what was written since the last call.
   *
   * @param onRecord told of each record's source and the time it was written, in milliseconds since 1970
   */
  async extend(onRecord: (source: Source, timestamp: number) => void): Promise<void> {
    let read = 0;
    for (const [source, topic] of Object.entries(READ) as [Source, string][]) {
      const next = this.#positions(topic);
      for await (const record of this.streams.readAll(topic, { from: next })) {
        next.set(record.partition, record.offset + 1);
        this.#tally(source);
        this.version++;
        try {
          this.#add(source, record);
        } catch {
          this.undecodable++;
        }
        onRecord(source, record.timestamp);
        if (++read % TURN === 0) await nextTurn();
      }
    }
  }

  get counts(): Counts {
    const [skipped, selectedBy, rejected] = [this.#by('skipped'), this.#by('selected'), this.#by('rejected')];
    return {
      images: this.count('images'),
      annotated: this.count('annotations') - total(skipped),
      skipped: withFailed(skipped, this.count('failedImages')),
      selected: total(selectedBy),
      selectedBy,
      rejected: withFailed(rejected, this.count('failedAnnotations')),
    };
  }

  /** Records read from a topic. */
  count(source: Source): number {
    return this.#counts.get(source) ?? 0;
  }

  find(id: string): IndexedSample | undefined {
    const place = this.#places.get(id);
    return place === undefined ? undefined : this.samples[place];
  }

  /** The whole record of a sample. */
  async read({ topic, partition, offset }: IndexedSample): Promise<Annotation | Decision> {
    const from = new Map(this.#positions(topic)).set(partition, offset);
    for await (const record of this.streams.readAll(topic, { from })) {
      if (record.partition === partition) return topics[topic].decode(record);
    }
    throw new Error(`${topic}[${partition}]@${offset} is gone`);
  }

  #positions(topic: string): Map<number, number> {
    const known = this.#next.get(topic) ?? new Map<number, number>();
    this.#next.set(topic, known);
    return known;
  }

  #by(outcome: 'skipped' | 'selected' | 'rejected'): Record<string, number> {
    const start = `${outcome} `;
    const found = [...this.#counts].filter(([name]) => name.startsWith(start));
    return Object.fromEntries(found.map(([name, n]) => [name.slice(start.length), n] as const).sort());
  }

  #tally(name: Counted): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }

  /** Throws an Error when the record is not one of its topic. */
  #add(source: Source, record: StreamRecord): void {
    const { partition, offset, timestamp: written } = record;
    const place = { partition, offset, written };
    if (source === 'annotations') {
      const annotation = topics.annotations.decode(record);
      const skipped = annotation.status === AnnotationStatus.SKIPPED;
      const reason = annotation.skipped?.reason ?? '';
      if (skipped) this.#tally(`skipped ${reason}`);
      const outcome = skipped ? 'skipped' : 'undecided';
      this.#put({ ...rowOf(annotation), outcome, reason, topic: 'annotations', ...place });
    } else if (source === 'decisions') {
      const decision = topics.decisions.decode(record);
      const outcome = decision.status === DecisionStatus.SELECTED ? 'selected' : 'rejected';
      const reason = decision.cause?.reason ?? '';
      this.#tally(`${outcome} ${reason}`);
      this.analysis.add(decision);
      const found = discrepanciesOf(decision.discrepancies);
      this.#put({ ...rowOf(decision), discrepancies: found, outcome, reason, topic: 'decisions', ...place });
    }
  }

  #put(sample: IndexedSample): void {
    const place = this.#places.get(sample.id) ?? this.samples.length;
    this.#places.set(sample.id, place);
    this.samples[place] = { ...sample, written: this.samples[place]?.written ?? sample.written };
  }
}

function total(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, n) => sum + n, 0);
}

function withFailed(counts: Readonly<Record<string, number>>, failed: number): Readonly<Record<string, number>> {
  return failed > 0 ? { ...counts, [FAILED]: failed } : counts;
}

type Row = Pick<IndexedSample, 'id' | 'task' | 'question' | 'answer' | 'studentAnswer' | 'discrepancies' | 'text'>;

function rowOf(record: Annotation | Decision): Row {
  const { sampleId: id, task, question, answer } = record;
  const studentAnswer = 'studentAnswer' in record ? record.studentAnswer : '';
  const text = `${question}\n${answer}\n${studentAnswer}`.toLowerCase();
  return { id, task: taskName(task), question, answer, studentAnswer, discrepancies: {}, text };
}

function discrepanciesOf(found: Discrepancies | undefined): SampleDiscrepancies {
  return Object.fromEntries(
    measures.flatMap((measure) => (found?.[measure] === undefined ? [] : [[measure, found[measure]]])),
  );
}
