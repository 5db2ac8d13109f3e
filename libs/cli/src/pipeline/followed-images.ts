import { context, SpanKind, trace } from '@opentelemetry/api';
import type { Span } from '@opentelemetry/api';
import { DecisionStatus } from '@mpa/contracts';
import { topics } from '@mpa/service-kit';
import type { Headers, OutgoingRecord, Streams } from '@mpa/streams';
import { FOLLOWED_HEADER, joinTraces, MOST_FOLLOWED, traceHeaders, tracedContext } from '@mpa/telemetry';

/**
 * Begins a trace for each image of a batch that is followed, while it is being listed. Which ones are is the sampler's to say; the
 * others are none the larger for it, and nobody looks at them again.
 */
export class FollowedImages {
  readonly #spans: Span[] = [];
  readonly #run = trace.getSpanContext(context.active());

  constructor(private readonly task: string) {}

  /** The record of an image, with the name of its trace if it is followed. */
  begin(record: OutgoingRecord): OutgoingRecord {
    if (!this.#run) return record;
    const options = { root: true, kind: SpanKind.PRODUCER, links: [{ context: this.#run }] };
    const span = trace.getTracer('@mpa/cli').startSpan('mpa: list', options);
    if (!span.isRecording()) return record;
    this.#spans.push(span.setAttributes({ 'mpa.sample.id': record.key, 'mpa.task': this.task }));
    return { ...record, headers: { ...record.headers, ...traceHeaders(span) } };
  }

  /** Waits until the batch is written; resolves to how many records were new. */
  async end(writing: ReturnType<Streams['producer']['send']>): Promise<number> {
    try {
      return (await writing).written;
    } finally {
      for (const span of this.#spans) span.end();
    }
  }
}

/** Headers of a call that is also about images that the S-VLM has learnt from, for their traces to go on there. */
export async function followedHeaders(streams: Streams): Promise<Headers> {
  if (!trace.getSpanContext(context.active())) return {};
  const followed: Headers[] = [];
  for await (const record of streams.readAll(topics.decisions.name)) {
    if (!tracedContext(record.headers)) continue;
    if (topics.decisions.decode(record).status === DecisionStatus.SELECTED) followed.push(record.headers);
    if (followed.length === MOST_FOLLOWED) break;
  }
  return followed.length === 0 ? {} : { [FOLLOWED_HEADER]: joinTraces(followed) };
}
