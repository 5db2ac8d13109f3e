import { z } from 'zod';
import { CheckpointError } from '../checkpoint-error.js';
import { readBySchema, size } from '../config-schema.js';
import { CLIP_MEAN, CLIP_STD, imageSettings } from '../image-settings.js';

const sides = { height: size, width: size };

/** A number is the short side in `size`, and both sides in `crop_size`. */
const scaling = z.union(
  [size.transform((side) => ({ shortest_edge: side })), z.strictObject({ shortest_edge: size }), z.strictObject(sides)],
  { error: 'must be {"shortest_edge": ...} or {"height": ..., "width": ...}' },
);
const cropping = z.union([size.transform((side) => ({ height: side, width: side })), z.object(sides)], {
  error: 'must be {"height": ..., "width": ...}',
});

const shared = { ...imageSettings, resample: imageSettings.resample.default(3) };

// Defaults are those of transformers' CLIPImageProcessor, LlavaImageProcessor and SiglipImageProcessor.
const clip = z.object({
  ...shared,
  image_mean: imageSettings.image_mean.default(CLIP_MEAN),
  image_std: imageSettings.image_std.default(CLIP_STD),
  size: scaling.default({ shortest_edge: 224 }),
  do_center_crop: z.boolean().default(true),
  crop_size: cropping.default({ height: 224, width: 224 }),
  do_pad: z.boolean().optional(),
});
const siglip = clip.extend({
  image_mean: imageSettings.image_mean.default([0.5, 0.5, 0.5]),
  image_std: imageSettings.image_std.default([0.5, 0.5, 0.5]),
  size: scaling.default({ height: 224, width: 224 }),
  do_center_crop: z.boolean().default(false),
});

/** Settings of an image processor that LLaVA checkpoints have. */
export type LlavaImageSettings = Omit<z.infer<typeof clip>, 'do_pad'> & {
  /** Whether an image is padded to a square first. */
  readonly padsToSquare: boolean;
};

/** Reads the image processor's settings. Throws CheckpointError naming the setting that is wrong or not supported. */
export function readLlavaImageSettings(json: unknown): LlavaImageSettings {
  const file = 'preprocessor_config.json';
  const named = readBySchema(file, z.object({ image_processor_type: z.string().optional() }), json);
  const kind = (named.image_processor_type ?? 'LlavaImageProcessor').replace(/(Fast|Pil)$/, '');
  const schemas: Readonly<Record<string, z.ZodType<z.infer<typeof clip>>>> = {
    CLIPImageProcessor: clip,
    LlavaImageProcessor: clip,
    SiglipImageProcessor: siglip,
  };
  if (!Object.hasOwn(schemas, kind)) {
    const known = Object.keys(schemas).join(', ');
    throw new CheckpointError(`${file}: image_processor_type ${kind} is not supported; supported are ${known}`);
  }
  const { do_pad: pads, ...settings } = readBySchema(file, schemas[kind]!, json);
  // The other processors pad the batch to its largest image, and all are of one size.
  return { ...settings, padsToSquare: kind === 'LlavaImageProcessor' && pads === true };
}
