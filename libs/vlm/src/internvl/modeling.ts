import type { Layers } from '../layers.js';
import type { TextDecoder } from '../text-decoder/modeling.js';
import type { VisionInputs } from '../vision-inputs.js';
import type { InternVlConfig } from './config.js';

/** Where the vision tower's tensors are, and the projector's. */
export const VISION = 'vision_tower';
export const PROJECTOR = 'multi_modal_projector';
/** The head where it is not tied. */
export const HEAD = 'language_model.lm_head';
const TEXT = 'language_model.model';

/** Of the norms of queries and keys, whatever the tower's own is. */
const QUERY_KEY_EPSILON = 1e-6;
/** Of the projector's layer norm: PyTorch's default. */
const PROJECTOR_EPSILON = 1e-5;

/** The Qwen2 or Llama decoder of a model. */
export function decoderOf({ text, tieWordEmbeddings, imageTokenId }: InternVlConfig): TextDecoder {
  return { config: text, root: TEXT, head: tieWordEmbeddings ? `${TEXT}.embed_tokens` : HEAD, imageTokenId };
}

/** InternViT tower, pixel shuffle and MLP projector. Source: transformers modeling_internvl.py. */
export function vision<T>(layers: Layers<T>, config: InternVlConfig, inputs: VisionInputs<T>): T {
  const { vision: v } = config;
  const embeddings = `${VISION}.embeddings`;
  const projection = `${embeddings}.patch_embeddings.projection`;
  let x = layers.patchEmbed(inputs.pixels, projection, { patchSize: v.patchSize, bias: true });
  x = layers.prependToken(x, `${embeddings}.cls_token`); // [N, P + 1, D]
  if (v.positions) x = layers.addWeight(x, `${embeddings}.position_embeddings`);
  for (let i = 0; i < v.usedLayers; i++) x = layers.block(() => visionLayer(layers, v, x, i));
  if (v.usesFinalNorm) x = layers.layerNorm(x, `${VISION}.layernorm`, v.layerNormEpsilon);
  x = layers.pixelShuffle(layers.dropFirst(x), config.scaleFactor); // [N, P/s^2, D*s^2]
  x = layers.layerNorm(x, `${PROJECTOR}.layer_norm`, PROJECTOR_EPSILON);
  x = layers.activation(layers.linear(x, `${PROJECTOR}.linear_1`, { bias: true }), config.projectorActivation);
  return layers.linear(x, `${PROJECTOR}.linear_2`, { bias: true }); // [N, P/s^2, hidden]
}

function visionLayer<T>(layers: Layers<T>, v: InternVlConfig['vision'], x: T, layer: number): T {
  const name = `${VISION}.encoder.layer.${layer}`;
  const norm = (h: T, module: string): T =>
    v.norm === 'rms_norm'
      ? layers.rmsNorm(h, module, v.layerNormEpsilon)
      : layers.layerNorm(h, module, v.layerNormEpsilon);
  const projected = (h: T, kind: 'q' | 'k' | 'v'): T =>
    layers.linear(h, `${name}.attention.${kind}_proj`, { bias: v.queryKeyValueBias });
  // Over all heads jointly.
  const normed = (h: T, kind: 'q' | 'k'): T =>
    v.queryKeyNorm
      ? layers.rmsNorm(projected(h, kind), `${name}.attention.${kind}_norm`, QUERY_KEY_EPSILON)
      : projected(h, kind);
  let h = norm(x, `${name}.layernorm_before`);
  h = layers.attention(normed(h, 'q'), normed(h, 'k'), projected(h, 'v'), {
    heads: v.heads,
    kvHeads: v.heads,
    headDim: v.hiddenSize / v.heads,
    tower: 'vision',
    layer,
  });
  h = layers.linear(h, `${name}.attention.projection_layer`, { bias: true });
  x = layers.add(x, layers.scale(h, `${name}.lambda_1`));
  h = layers.linear(norm(x, `${name}.layernorm_after`), `${name}.mlp.fc1`, { bias: true });
  h = layers.linear(layers.activation(h, v.activation), `${name}.mlp.fc2`, { bias: true });
  return layers.add(x, layers.scale(h, `${name}.lambda_2`));
}
