import type { AcceptedField } from './accepted-fields.js';

/** How one or more answers to a question are made. */
export interface Generation {
  readonly model: string;
  readonly maxNewTokens: number;
  /** What the endpoint takes. */
  readonly accepted: ReadonlySet<AcceptedField>;
  /** Likeliest tokens when 0. */
  readonly temperature: number;
  readonly seed?: number | undefined;
  /** Answers; more than 1 only where `n` is accepted. */
  readonly n?: number | undefined;
  /** Whether the probabilities are wanted, where they are given. */
  readonly withProbabilities: boolean;
}

/** The body of a request for chat completions, apart from the messages. */
export function generationFields(generation: Generation): Record<string, unknown> {
  const { model, maxNewTokens, accepted, temperature, seed, n = 1, withProbabilities } = generation;
  return {
    model,
    [accepted.has('max_completion_tokens') ? 'max_completion_tokens' : 'max_tokens']: maxNewTokens,
    temperature,
    ...(accepted.has('seed') && seed !== undefined && { seed }),
    ...(accepted.has('n') && n > 1 && { n }),
    ...(accepted.has('logprobs') && withProbabilities && { logprobs: true, top_logprobs: 1 }),
  };
}

/** The messages: one of the user's, an image and a text below it. */
export function userMessage(imageUrl: string, text: string): Record<string, unknown> {
  const content = [
    { type: 'image_url', image_url: { url: imageUrl } },
    { type: 'text', text },
  ];
  return { messages: [{ role: 'user', content }] };
}
