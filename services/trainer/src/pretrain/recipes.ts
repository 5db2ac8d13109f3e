import type { PretrainOptions } from './pretrain.js';
import { starterSizes } from './starter-config.js';

/** What `mpa pretrain` does for each size, unless flags say otherwise. */
export type Recipe = Pick<
  PretrainOptions,
  'size' | 'steps' | 'readingSteps' | 'batch' | 'rate' | 'warmup' | 'drawers' | 'auxiliary' | 'mix' | 'every' | 'seed'
>;

const shared = { batch: 8, rate: 2e-3, warmup: 100, drawers: 1, auxiliary: 1, every: 500 } as const;

/** The starter L-VLM learns to read first; the S-VLM hardly does, and stops early: it is there to be levelled. */
export const recipes: Readonly<Record<'large' | 'small', Recipe>> = {
  large: {
    ...shared,
    size: starterSizes.large,
    seed: 1,
    readingSteps: 3000,
    steps: 6500,
    mix: { textvqa: 1, stvqa: 1.2, chartqa: 1.2, okvqa: 0.8, page: 0.5 },
  },
  small: {
    ...shared,
    size: starterSizes.small,
    seed: 2,
    readingSteps: 400,
    steps: 4000,
    mix: { textvqa: 1, stvqa: 1.2, chartqa: 1.2, okvqa: 0.8, page: 0.2 },
  },
};
