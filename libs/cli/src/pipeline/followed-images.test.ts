import { context, trace } from '@opentelemetry/api';
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor, TraceIdRatioBasedSampler } from '@opentelemetry/sdk-trace-node'; // prettier-ignore
import { expect, it } from 'vitest';
import { FollowedImages } from './followed-images.js';

const records = Array.from({ length: 400 }, (_, i) => ({ key: `image-${i}`, value: new Uint8Array(), headers: {} }));
const written = Promise.resolve({ written: records.length, duplicates: 0 });

it('leaves all records as they are while nobody traces', async () => {
  const followed = new FollowedImages('chartqa');
  for (const record of records) expect(followed.begin(record)).toBe(record);
  expect(await followed.end(written)).toBe(records.length);
});

it('begins a trace for each image of a share, linked to the run, and leaves the other records as they are', async () => {
  const exporter = new InMemorySpanExporter();
  const spanProcessors = [new SimpleSpanProcessor(exporter)];
  const provider = new NodeTracerProvider({ spanProcessors, sampler: new TraceIdRatioBasedSampler(0.5) });
  provider.register();
  const run = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1 };
  await context.with(trace.setSpanContext(context.active(), run), async () => {
    const followed = new FollowedImages('chartqa');
    const begun = records.map((record) => followed.begin(record));
    await followed.end(written);
    const spans = new Map(exporter.getFinishedSpans().map((span) => [span.attributes['mpa.sample.id'], span]));
    // Five standard deviations of a binomial count.
    expect(Math.abs(spans.size - 200)).toBeLessThan(50);
    for (const [i, record] of begun.entries()) {
      const span = spans.get(record.key);
      if (!span) {
        expect(record).toBe(records[i]);
        continue;
      }
      const { traceId, spanId } = span.spanContext();
      expect(record.headers).toEqual({ traceparent: `00-${traceId}-${spanId}-01` });
      expect(span.parentSpanContext).toBeUndefined();
      expect(span.links).toMatchObject([{ context: run }]);
    }
  });
  await provider.shutdown();
});
