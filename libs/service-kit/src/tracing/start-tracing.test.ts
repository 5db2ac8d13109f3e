import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import { ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api';
import { expect, it, vi } from 'vitest';
import { startTracing } from './start-tracing.js';

const onProblem = (message: string): never => {
  throw new Error(message);
};

const isSdkLoaded = (): boolean =>
  Object.keys(createRequire(import.meta.url).cache).some((file) => file.includes('sdk-trace'));

it.each([
  [undefined, {}],
  [undefined, { OTEL_EXPORTER_OTLP_ENDPOINT: '' }],
  [{ endpoint: 'http://127.0.0.1:1' }, { OTEL_SDK_DISABLED: 'true' }],
])('does not even load the SDK where nothing asks for traces: %j, %j', async (config, env) => {
  await (
    await startTracing('test', config, { env, onProblem })
  )();
  expect(isSdkLoaded()).toBe(false);
  expect(trace.getTracer('test').startSpan('none').isRecording()).toBe(false);
});

it('loads it where OTEL_EXPORTER_OTLP_ENDPOINT does, and says what cannot be sent', async () => {
  const problems: string[] = [];
  // The exporter's own, which it reads itself: it tries again for so many milliseconds.
  vi.stubEnv('OTEL_EXPORTER_OTLP_TIMEOUT', '300');
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1', OTEL_BSP_MAX_QUEUE_SIZE: '10' };
  const config = { endpoint: 'http://127.0.0.1:1' };
  const end = await startTracing('test', config, { env, onProblem: (problem) => problems.push(problem) });
  expect(isSdkLoaded()).toBe(true);
  const span = trace.getTracer('test').startSpan('one', {}, ROOT_CONTEXT);
  expect(span.isRecording()).toBe(true);
  span.end();
  await end();
  vi.unstubAllEnvs();
  expect(problems).toContain('connect ECONNREFUSED 127.0.0.1:1');
});

it('follows a share of the images, each as its trace id says, and every command', async () => {
  const { RunSampler } = await import('./run-sampler.js');
  const { SamplingDecision } = await import('@opentelemetry/sdk-trace-node');
  const ids = Array.from({ length: 4000 }, () => randomBytes(16).toString('hex'));
  const sampled = (ratio: number, kind: SpanKind): string[] =>
    ids.filter(
      (id) =>
        new RunSampler(ratio).shouldSample(ROOT_CONTEXT, id, '', kind).decision === SamplingDecision.RECORD_AND_SAMPLED,
    );
  const some = sampled(0.25, SpanKind.PRODUCER);
  // Four standard deviations of a binomial count.
  expect(Math.abs(some.length - 1000)).toBeLessThan(4 * Math.sqrt(4000 * 0.25 * 0.75));
  expect(sampled(0.25, SpanKind.SERVER)).toEqual(some);
  expect(sampled(0.5, SpanKind.PRODUCER)).toEqual(expect.arrayContaining(some));
  expect(sampled(0, SpanKind.PRODUCER)).toEqual([]);
  expect(sampled(0, SpanKind.INTERNAL)).toEqual(ids);
});
