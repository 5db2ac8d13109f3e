/** Fields of a request that not every endpoint takes. */
export const optionalFields = ['logprobs', 'seed', 'n'] as const;

/** One of the {@link optionalFields}, or how the most tokens are named where it is not `max_tokens`. */
export type AcceptedField = (typeof optionalFields)[number] | 'max_completion_tokens';

/**
 * The fields to try next, after an endpoint refused a request with `fields`: without those that its words name, or else without the last
 * one. Undefined when there is nothing left to leave out.
 */
export function fewerFields(fields: readonly AcceptedField[], words: string): readonly AcceptedField[] | undefined {
  if (words.includes('max_completion_tokens') && !fields.includes('max_completion_tokens')) {
    return ['max_completion_tokens', ...fields];
  }
  const names = (field: string): boolean => new RegExp(`(?<![a-z_])(top_)?${field}(?![a-z_])`).test(words);
  const optional = fields.filter((field) => field !== 'max_completion_tokens');
  const named = optional.filter(names);
  if (optional.length === 0) return undefined;
  const without: readonly AcceptedField[] = named.length > 0 ? named : optional.slice(-1);
  return fields.filter((field) => !without.includes(field));
}
