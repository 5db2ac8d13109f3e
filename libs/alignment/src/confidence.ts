/**
 * Log-probability of a text per character (Unicode code point), in nats: tokens differ between models, characters do not. An empty text
 * counts as one character.
 */
export function perCharacter(logProbability: number, text: string): number {
  return logProbability / charactersOf(text);
}

/** Unicode code points of a text, at least one. */
export function charactersOf(text: string): number {
  return Math.max(1, [...text].length);
}

/**
 * How much less likely the S-VLM finds what the L-VLM says, in [0, 1): `1 - exp(-max(0, teacher - student))` of
 * log-probabilities per character. 0 where the S-VLM is at least as sure.
 */
export function confidenceGap(teacher: number, student: number): number {
  return -Math.expm1(-Math.max(0, teacher - student));
}
