import { checkDivides } from '../config-schema.js';
import type { Activation } from '../layers.js';

/** Sizes of a CLIP, SigLIP or InternViT vision tower. */
export interface VisionConfig {
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly layers: number;
  readonly heads: number;
  /** Pixels per side of an image and of a patch. */
  readonly imageSize: number;
  readonly patchSize: number;
  readonly layerNormEpsilon: number;
  readonly activation: Activation;
}

/** The same in the names of `vision_config` in config.json. */
interface VisionJson {
  readonly hidden_size: number;
  readonly intermediate_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  readonly image_size: number;
  readonly patch_size: number;
  readonly layer_norm_eps: number;
  readonly hidden_act: Activation;
}

/** Reads them. Throws CheckpointError when the heads do not divide the width. */
export function visionConfigOf(v: VisionJson): VisionConfig {
  checkDivides(v.hidden_size, v.num_attention_heads, 'vision_config.hidden_size over num_attention_heads');
  return {
    hiddenSize: v.hidden_size,
    intermediateSize: v.intermediate_size,
    layers: v.num_hidden_layers,
    heads: v.num_attention_heads,
    imageSize: v.image_size,
    patchSize: v.patch_size,
    layerNormEpsilon: v.layer_norm_eps,
    activation: v.hidden_act,
  };
}
