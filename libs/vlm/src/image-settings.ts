import { z } from 'zod';
import { channels } from './config-schema.js';
import type { Normalization } from './image/normalize.js';

/** What the settings of every image processor have alike; resampling and normalisation cannot be left out. */
export const imageSettings = {
  do_resize: z.literal(true).default(true),
  do_rescale: z.literal(true).default(true),
  do_normalize: z.literal(true).default(true),
  rescale_factor: z
    .number()
    .positive()
    .default(1 / 255),
  resample: z.union([z.literal(1), z.literal(2), z.literal(3)]),
  image_mean: channels,
  image_std: channels,
};

/** The normalisation that such settings describe. */
export function normalizationOf(settings: {
  readonly image_mean: readonly number[];
  readonly image_std: readonly number[];
  readonly rescale_factor: number;
}): Normalization {
  return { mean: settings.image_mean, deviation: settings.image_std, rescale: settings.rescale_factor };
}

/** OpenAI's CLIP's normalisation, the default of processors that descend from its own. */
export const CLIP_MEAN: [number, number, number] = [0.48145466, 0.4578275, 0.40821073];
export const CLIP_STD: [number, number, number] = [0.26862954, 0.26130258, 0.27577711];
