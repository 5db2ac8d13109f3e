/** What is measured of two models beside whether their answers match. */
export const measures = ['confidence', 'attention', 'reasoning'] as const;

/** One of {@link measures}. */
export type Measure = (typeof measures)[number];
