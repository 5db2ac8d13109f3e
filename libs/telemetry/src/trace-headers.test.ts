import { propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { joinTraces, MOST_FOLLOWED, splitTraces, traceHeaders, tracedContext } from './trace-headers.js';

const traceparent = (i: number): string =>
  `00-0af7651916cd43dd8448eb211c8${String(i).padStart(5, '0')}-b7ad6b7169203331-01`;
const records = Array.from({ length: MOST_FOLLOWED + 5 }, (_, i) => ({ traceparent: traceparent(i) }));

describe('trace headers, as long as nobody traces', () => {
  it('are not read and not written', () => {
    expect(tracedContext(records[0]!)).toBeUndefined();
    expect(traceHeaders(trace.getTracer('test').startSpan('none'))).toEqual({});
    expect(splitTraces(joinTraces(records))).toEqual([]);
  });
});

describe('trace headers', () => {
  beforeAll(() => void propagation.setGlobalPropagator(new W3CTraceContextPropagator()));
  afterAll(() => propagation.disable());

  it('lead back to the span that they were made of', () => {
    const context = tracedContext(records[3]!)!;
    expect(traceHeaders(trace.getSpan(context)!)).toEqual(records[3]);
    expect(tracedContext({})).toBeUndefined();
    expect(tracedContext({ traceparent: 'nonsense' })).toBeUndefined();
  });

  it('of several traces go into one header of a call, as many as it can hold', () => {
    const header = joinTraces([{}, ...records]);
    expect(Buffer.byteLength(header)).toBeLessThan(8 * 1024);
    const ids = splitTraces(header).map((context) => trace.getSpanContext(context)?.traceId);
    expect(ids).toEqual(records.slice(0, MOST_FOLLOWED).map((record) => record.traceparent.split('-')[1]));
    expect(splitTraces(undefined)).toEqual([]);
    expect(splitTraces(`nonsense,${traceparent(1)}`)).toHaveLength(1);
    expect(trace.getSpanContext(ROOT_CONTEXT)).toBeUndefined();
  });
});
