import { tracingChannel } from 'node:diagnostics_channel';

/** What a call is about: opening a graph, running one, a step of training, the features of an image that training keeps. */
export interface ModelCall {
  readonly kind: 'open' | 'run' | 'train' | 'encode';
}

/**
 * Every computation of a model, on any backend, as a tracing channel of Node.js (`mpa:model`): who wants to know when models
 * compute, such as a profiler or `npm run bench`, subscribes; without a subscriber it costs nothing.
 */
export const modelCalls = tracingChannel<'mpa:model', ModelCall>('mpa:model');
