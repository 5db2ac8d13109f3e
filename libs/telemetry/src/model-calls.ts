import { channel, tracingChannel } from 'node:diagnostics_channel';

/**
 * What a call is about: opening a graph, running one, a step of training, the features of an image that training keeps, a request
 * to a model behind an endpoint.
 */
export interface ModelCall {
  readonly kind: 'open' | 'run' | 'train' | 'encode' | 'request';
  /** What computes: an execution provider as ONNX Runtime calls it (`cpu`, `cuda`, ...), `wasm`, or `endpoint`. */
  readonly provider: string;
}

/**
 * Every computation of a model, on any backend, as a tracing channel of Node.js (`mpa:model`): who wants to know when models
 * compute, such as the metrics, a profiler or `npm run bench`, subscribes; without a subscriber it costs nothing.
 */
export const modelCalls = tracingChannel<'mpa:model', ModelCall>('mpa:model');

const tokens = channel('mpa:generated-tokens');

/** Tells whoever subscribed that a model has written so many tokens. */
export function tellGeneratedTokens(count: number): void {
  tokens.publish(count);
}

/** Calls `listener` with every number of tokens that a model has written, where it was written; returns what ends that. */
export function onGeneratedTokens(listener: (count: number) => void): () => void {
  const heard = (count: unknown): void => listener(count as number);
  tokens.subscribe(heard);
  return () => void tokens.unsubscribe(heard);
}
