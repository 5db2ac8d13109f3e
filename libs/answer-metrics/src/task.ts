/** The four benchmarks that a model is levelled on; each fixes a metric and a match rule. */
export const tasks = ['textvqa', 'stvqa', 'chartqa', 'okvqa'] as const;

/** Name of one of the {@link tasks}. */
export type Task = (typeof tasks)[number];
