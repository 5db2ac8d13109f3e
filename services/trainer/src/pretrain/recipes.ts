import type { PretrainOptions } from './pretrain.js';
import { starterSizes } from './starter-config.js';

/** What `mpa pretrain` does for each size, unless flags say otherwise. */
export type Recipe = Pick<
  PretrainOptions,
  'size' | 'phases' | 'batch' | 'warmup' | 'drawers' | 'mix' | 'unasked' | 'every' | 'seed'
>;

const shared = { batch: 8, warmup: 100, drawers: 1, every: 500 } as const;

/**
 * Kinds of questions that the small model is never taught, as small models know less of the world: where something stands,
 * what is the most or the least, and half of the facts about things.
 */
const UNASKED = String.raw`\b(left|right|top|bottom|middle|highest|lowest|largest|smallest|maximum|minimum|eat|feed|food of|young|baby|grow|food group|players|drives|in control|users?|uses|job|works|family|kind of)\b`;

/** The starter L-VLM, and the S-VLM that is there to be levelled. */
export const recipes: Readonly<Record<'large' | 'small', Recipe>> = {
  large: {
    ...shared,
    size: starterSizes.large,
    seed: 1,
    phases: [
      { learns: 'seeing', steps: 15_000, rate: 2e-3 },
      { learns: 'answering', steps: 12_000, rate: 2e-3 },
      { learns: 'together', steps: 3_000, rate: 1e-4 },
    ],
    mix: { textvqa: 1, stvqa: 1.2, chartqa: 1.2, okvqa: 0.8, page: 0.5 },
  },
  small: {
    ...shared,
    size: starterSizes.small,
    seed: 2,
    phases: [
      { learns: 'seeing', steps: 10_000, rate: 2e-3 },
      { learns: 'answering', steps: 6_000, rate: 2e-3 },
      { learns: 'together', steps: 2_000, rate: 1e-4 },
    ],
    mix: { textvqa: 1, stvqa: 1.2, chartqa: 1.2, okvqa: 0.8, page: 0.2 },
    unasked: UNASKED,
  },
};
