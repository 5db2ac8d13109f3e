import { z } from 'zod';
import { CheckpointError } from '../checkpoint-error.js';
import { activation, size } from '../config-schema.js';
import { checkVision, readQwenConfig, visionFields, visionOf } from '../qwen2-vl/config.js';
import type { Qwen2VisionConfig, Qwen2VlConfig } from '../qwen2-vl/config.js';

/** The validated config of a Qwen2.5-VL checkpoint, in the names of this code base. */
export interface Qwen25VlConfig extends Qwen2VlConfig {
  readonly vision: Qwen25VisionConfig;
}

/** Sizes of the vision tower, most of whose layers attend within windows. */
export interface Qwen25VisionConfig extends Qwen2VisionConfig {
  /** Image tokens per side of a window. */
  readonly windowSide: number;
  /** The layers in which all patches see each other. */
  readonly fullAttentionLayers: readonly number[];
}

// Defaults are those of transformers' configuration_qwen2_5_vl.py: published configs omit them.
const visionSchema = z.object({
  ...visionFields,
  hidden_size: size.default(3584),
  intermediate_size: size.default(3420),
  hidden_act: activation.default('silu'),
  out_hidden_size: size.default(3584),
  window_size: size.default(112),
  fullatt_block_indexes: z.array(z.number().int().nonnegative()).default([7, 15, 23, 31]),
});

/** Reads config.json of a Qwen2.5-VL checkpoint, hub (flat) or v5 (nested) layout. Throws CheckpointError naming the field. */
export function readQwen25VlConfig(json: unknown): Qwen25VlConfig {
  const { vision: v, ...config } = readQwenConfig(json, visionSchema);
  const windowSide = Math.floor(Math.floor(v.window_size / v.spatial_merge_size) / v.patch_size);
  if (windowSide === 0) {
    throw new CheckpointError(
      `config.json: vision_config.window_size: ${v.window_size} pixels are less than an image token's (patch_size * spatial_merge_size)`,
    );
  }
  const vision: Qwen25VisionConfig = {
    ...visionOf(v),
    hiddenSize: v.hidden_size,
    intermediateSize: v.intermediate_size,
    activation: v.hidden_act,
    windowSide,
    fullAttentionLayers: v.fullatt_block_indexes,
  };
  checkVision(vision, 'hidden_size', v.out_hidden_size, 'out_hidden_size', config.text);
  return { ...config, vision };
}
