import type { PretrainOptions } from './pretrain.js';
import { starterSizes } from './starter-config.js';

/** What `mpa pretrain` does for each size, unless flags say otherwise. */
export type Recipe = Pick<
  PretrainOptions,
  'size' | 'phases' | 'batch' | 'images' | 'warmup' | 'drawers' | 'unasked' | 'every' | 'seed'
>;

const shared = {
  batch: 16,
  images: 10_000,
  warmup: 50,
  drawers: 1,
  every: 400,
} as const;

const mix = { textvqa: 1, stvqa: 1.2, chartqa: 1.6, okvqa: 0.8 } as const;
/** More of what is learnt last. */
const late = { textvqa: 0.8, stvqa: 1, chartqa: 2, okvqa: 1.4 } as const;

/**
 * Kinds of questions that the small model is never taught, as small models have been asked fewer: where something stands, numbers and
 * single letters, what is the most or the least, what is counted, coloured or calculated, and half of the facts about things.
 */
const UNASKED = String.raw`\b(left|right|top|bottom|middle|number|digits?|letter|how many|highest|lowest|largest|smallest|maximum|minimum|sum|difference|what color|shows|has a value|category does|eat|feed|food of|young|baby|grow|food group|players|drives|in control|users?|uses|job|works|family|kind of)\b`;

/** The starter L-VLM, and the S-VLM that is there to be levelled. */
export const recipes: Readonly<Record<'large' | 'small', Recipe>> = {
  large: {
    ...shared,
    size: starterSizes.large,
    seed: 1,
    phases: [
      { learns: 'seeing', steps: 1000, pages: 0.5, rate: 4e-3, end: 0.85, mix },
      { learns: 'seeing', steps: 1000, pages: 0.8, rate: 4e-3, end: 0.85, mix },
      { learns: 'answering', steps: 800, pages: 0.15, rate: 4e-3, end: 0.85, mix },
      { learns: 'together', steps: 2500, pages: 0.15, rate: 3e-3, end: 0.01, mix },
      { learns: 'together', steps: 3900, pages: 0.1, rate: 3e-3, end: 0.01, mix: late },
    ],
  },
  small: {
    ...shared,
    size: starterSizes.small,
    seed: 2,
    phases: [
      { learns: 'seeing', steps: 500, pages: 0.6, rate: 4e-3, end: 1, mix },
      { learns: 'seeing', steps: 1500, pages: 0.8, rate: 4e-3, end: 0.85, mix },
      { learns: 'answering', steps: 600, pages: 0.15, rate: 4e-3, end: 0.7, mix },
      { learns: 'together', steps: 2000, pages: 0.15, rate: 3e-3, end: 0.01, mix },
      { learns: 'seeing', steps: 1000, pages: 0.5, rate: 4e-3, end: 0.85, mix: late },
      { learns: 'together', steps: 5500, pages: 0.15, rate: 3e-3, end: 0.01, mix: late },
    ],
    unasked: UNASKED,
  },
};
