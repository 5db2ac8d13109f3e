import { SpanKind } from '@opentelemetry/api';
import type { Context } from '@opentelemetry/api';
import { SamplingDecision, TraceIdRatioBasedSampler } from '@opentelemetry/sdk-trace-node';
import type { Sampler, SamplingResult } from '@opentelemetry/sdk-trace-node';

/**
 * Which traces that begin here are followed: what a command does itself always, since it is one trace; of images, and of calls from
 * elsewhere, a share, by trace id, so that all who decide decide alike.
 */
export class RunSampler implements Sampler {
  readonly #some: Sampler;

  /** @param ratio in [0, 1] */
  constructor(private readonly ratio: number) {
    this.#some = new TraceIdRatioBasedSampler(ratio);
  }

  shouldSample(...[context, traceId, , kind]: [Context, string, string, SpanKind, ...unknown[]]): SamplingResult {
    if (kind === SpanKind.INTERNAL) return { decision: SamplingDecision.RECORD_AND_SAMPLED };
    return this.#some.shouldSample(context, traceId, '', kind, {}, []);
  }

  toString(): string {
    return `RunSampler{${this.ratio}}`;
  }
}
