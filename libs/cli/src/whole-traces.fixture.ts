import { expect } from 'vitest';
import type { ReceivedSpan } from './otlp-receiver.fixture.js';

/** What one image leaves behind: the process, its span, and the span before it. */
const IMAGE = [
  ['mpa', 'mpa: list', undefined],
  ['annotator', 'annotator: images', 'mpa: list'],
  ['parity', 'parity: annotations', 'annotator: images'],
  ['trainer', 'trainer: learn', 'parity: annotations'],
  ['evaluator', 'evaluator: evaluate', 'parity: annotations'],
];

/** What the run as a whole leaves behind: calls of the command, answered by the services. */
const CALLS = [
  ['annotator', 'mpa.v1.WorkerService/Consume'],
  ['evaluator', 'mpa.v1.EvaluatorService/Evaluate'],
  ['parity', 'mpa.v1.WorkerService/Consume'],
  ['trainer', 'mpa.v1.TrainerService/Train'],
];

/** Requires one trace for each of `images` images, through all services, and one of the run, which those are linked to. */
export function expectWholeTraces(traces: readonly (readonly ReceivedSpan[])[], images: number): void {
  const spans = new Map(traces.flat().map((span) => [span.spanId, span]));
  const ofImages = traces.filter((trace) => trace.some(({ name }) => name === 'mpa: list'));
  const ofRun = traces.filter((trace) => trace.some(({ name }) => name === 'mpa: align'));
  expect(ofImages).toHaveLength(images);
  expect(ofRun).toHaveLength(1);
  const [run] = ofRun as [readonly ReceivedSpan[]];
  for (const trace of ofImages) {
    const chain = trace.map(({ service, name, parentSpanId }) => [service, name, spans.get(parentSpanId)?.name]);
    expect(chain).toEqual(IMAGE);
    for (const { links } of trace) expect(links.map(({ traceId }) => traceId)).toEqual([run[0]!.traceId]);
  }
  const answered = run.filter(({ kind }) => kind === 2);
  const called = new Set(answered.map(({ service, name }) => `${service} ${name}`));
  for (const call of CALLS) expect(called).toContain(call.join(' '));
  for (const { name, parentSpanId } of answered) {
    expect(spans.get(parentSpanId)).toMatchObject({ name, service: 'mpa', kind: 3 });
  }
}
