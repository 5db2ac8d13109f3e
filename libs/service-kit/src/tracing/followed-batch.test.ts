import { SpanStatusCode } from '@opentelemetry/api';
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import type { Batch, StreamRecord } from '@mpa/streams';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { FollowedBatch } from './followed-batch.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const FIRST = 'b7ad6b7169203331';
const exporter = new InMemorySpanExporter();
const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
beforeAll(() => provider.register());
afterEach(() => exporter.reset());
afterAll(() => provider.shutdown());

function record(key: string, headers: Record<string, string>): StreamRecord {
  const value = new Uint8Array();
  return { topic: 'images', partition: 0, offset: 0, key, id: key, value, headers, timestamp: 0 };
}

function batchOf(...records: StreamRecord[]): Batch & { readonly sent: string[] } {
  const sent: string[] = [];
  return {
    ...{ topic: 'images', partition: 0, records, sent, signal: new AbortController().signal },
    send: (topic) => void sent.push(topic),
    deadLetter: () => void sent.push('images.dead'),
    heartbeat: async () => undefined,
    isStale: () => false,
  };
}

const followed = record('a', { 'mpa-run-id': 'r', traceparent: `00-${TRACE}-${FIRST}-01` });
const plain = record('b', { 'mpa-run-id': 'r' });

it('gives a followed record a span of its trace, and leaves the others as they are', async () => {
  const inner = batchOf(followed, plain);
  const batch = new FollowedBatch(inner, 'annotator');
  const report = await batch.process(async (work) => {
    expect(work.records[1]).toBe(plain);
    work.send('annotations', { key: 'a', value: new Uint8Array() });
    work.deadLetter(work.records[1]!, 'why');
    return { outcomes: new Map([[work.records[0]!, 'annotated']]), modelSeconds: 2 };
  });
  expect(report.modelSeconds).toBe(2);
  expect(batch.deadLetters).toBe(1);
  expect(inner.sent).toEqual(['annotations', 'images.dead']);
  const [span, ...others] = exporter.getFinishedSpans();
  expect(others).toEqual([]);
  expect(span).toMatchObject({
    name: 'annotator: images',
    parentSpanContext: { traceId: TRACE, spanId: FIRST },
    attributes: { 'mpa.sample.id': 'a', 'mpa.outcome': 'annotated', 'messaging.batch.message_count': 2 },
  });
  const own = span!.spanContext().spanId;
  expect(batch.records[0]!.headers).toEqual({ 'mpa-run-id': 'r', traceparent: `00-${TRACE}-${own}-01` });
});

it('tells in the span what a batch failed with', async () => {
  const batch = new FollowedBatch(batchOf(followed), 'annotator');
  await expect(batch.process(() => Promise.reject(new Error('no memory')))).rejects.toThrow('no memory');
  expect(exporter.getFinishedSpans()[0]!.status).toEqual({ code: SpanStatusCode.ERROR, message: 'no memory' });
});

it.each(['nonsense', `00-${'0'.repeat(32)}-${FIRST}-01`, `00-${TRACE}-${FIRST}-00`])(
  'begins nothing that is shown for the header %s',
  async (traceparent) => {
    const batch = new FollowedBatch(batchOf(record('a', { traceparent })), 'annotator');
    await batch.process(async () => ({ outcomes: new Map(), modelSeconds: 0 }));
    expect(exporter.getFinishedSpans()).toEqual([]);
  },
);
