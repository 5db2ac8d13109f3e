import { context, SpanKind, trace } from '@opentelemetry/api';
import type { Span, SpanOptions } from '@opentelemetry/api';
import type { Batch, OutgoingRecord, StreamRecord } from '@mpa/streams';
import { failSpan, tracedContext, traceHeaders } from '@mpa/telemetry';
import type { BatchReport } from '../worker.js';

/**
 * A batch of which those records are followed that belong to a trace: each has a span of its own there while the batch is in
 * work, and names it in its headers, so that what is made of it, and sent on with them, is part of the trace too.
 */
export class FollowedBatch implements Batch {
  readonly records: readonly StreamRecord[];
  /** Records that were put aside. */
  deadLetters = 0;
  readonly #spans = new Map<StreamRecord, Span>();

  /** @param stage what does the work */
  constructor(
    private readonly batch: Batch,
    stage: string,
  ) {
    const call = trace.getSpanContext(context.active());
    const options: SpanOptions = {
      kind: SpanKind.CONSUMER,
      links: call ? [{ context: call }] : [],
      attributes: { 'messaging.destination.name': batch.topic, 'messaging.batch.message_count': batch.records.length },
    };
    this.records = batch.records.map((record) => this.#follow(record, stage, options));
  }

  get topic(): string {
    return this.batch.topic;
  }

  get partition(): number {
    return this.batch.partition;
  }

  get signal(): AbortSignal {
    return this.batch.signal;
  }

  /** Has the batch processed, and ends the spans with what became of their records. */
  async process(work: (batch: Batch) => Promise<BatchReport>): Promise<BatchReport> {
    try {
      const report = await work(this);
      for (const [record, span] of this.#spans) {
        span.setAttributes({
          'mpa.outcome': report.outcomes.get(record) ?? 'none',
          'mpa.batch.model_seconds': report.modelSeconds,
        });
      }
      return report;
    } catch (error) {
      for (const span of this.#spans.values()) failSpan(span, error);
      throw error;
    } finally {
      for (const span of this.#spans.values()) span.end();
    }
  }

  send(topic: string, record: OutgoingRecord): void {
    this.batch.send(topic, record);
  }

  deadLetter(record: StreamRecord, cause: unknown): void {
    this.deadLetters += 1;
    this.batch.deadLetter(record, cause);
  }

  heartbeat(): Promise<void> {
    return this.batch.heartbeat();
  }

  isStale(): boolean {
    return this.batch.isStale();
  }

  #follow(record: StreamRecord, stage: string, options: SpanOptions): StreamRecord {
    const parent = tracedContext(record.headers);
    if (!parent) return record;
    const span = trace.getTracer('@mpa/service-kit').startSpan(`${stage}: ${record.topic}`, options, parent);
    span.setAttribute('mpa.sample.id', record.key);
    const followed = { ...record, headers: { ...record.headers, ...traceHeaders(span) } };
    this.#spans.set(followed, span);
    return followed;
  }
}
