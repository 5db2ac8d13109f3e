import type { PretrainOptions } from './pretrain.js';
import { starterSizes } from './starter-config.js';

/** What `mpa pretrain` does for each size, unless flags say otherwise. */
export type Recipe = Pick<
  PretrainOptions,
  'size' | 'phases' | 'batch' | 'images' | 'warmup' | 'drawers' | 'mix' | 'unasked' | 'every' | 'seed'
>;

const shared = {
  batch: 16,
  images: 10_000,
  warmup: 50,
  drawers: 1,
  every: 250,
  mix: { textvqa: 1, stvqa: 1.2, chartqa: 1.6, okvqa: 0.8 },
} as const;

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
      { learns: 'seeing', steps: 1000, pages: 0.5, rate: 4e-3, end: 0.85 },
      { learns: 'seeing', steps: 1000, pages: 0.8, rate: 4e-3, end: 0.85 },
      { learns: 'answering', steps: 800, pages: 0.15, rate: 4e-3, end: 0.85 },
      { learns: 'together', steps: 2500, pages: 0.15, rate: 3e-3, end: 0.01 },
    ],
  },
  small: {
    ...shared,
    size: starterSizes.small,
    seed: 2,
    phases: [
      { learns: 'seeing', steps: 500, pages: 0.6, rate: 4e-3, end: 1 },
      { learns: 'seeing', steps: 1500, pages: 0.8, rate: 4e-3, end: 0.85 },
      { learns: 'answering', steps: 600, pages: 0.15, rate: 4e-3, end: 0.7 },
      { learns: 'together', steps: 2000, pages: 0.15, rate: 3e-3, end: 0.01 },
    ],
    unasked: UNASKED,
  },
};
