import type { Layers } from '../layers.js';
import { axialRotary } from '../rotary.js';
import type { RotaryOptions } from '../rotary.js';
import type { TextDecoder } from '../text-decoder/modeling.js';
import type { VisionInputs } from '../vision-inputs.js';
import type { Qwen2VisionConfig, Qwen2VlConfig } from './config.js';

/** Where the vision tower's tensors are. */
export const VISION = 'visual';
/** The head where it is not tied. */
export const HEAD = 'lm_head';
const TEXT = 'model';
/** Whatever the config says. */
const EPSILON = 1e-6;
const BIAS = { bias: true };

/** The Qwen2 decoder of a model. */
export function decoderOf({ text, tieWordEmbeddings, imageTokenId }: Qwen2VlConfig): TextDecoder {
  return { config: text, root: TEXT, head: tieWordEmbeddings ? `${TEXT}.embed_tokens` : HEAD, imageTokenId };
}

/** How rows and columns turn the queries and keys of patches. */
export function visionRotary({ ropeTheta, hiddenSize, heads }: Qwen2VisionConfig): RotaryOptions {
  return axialRotary(ropeTheta, hiddenSize / heads);
}

/** What the towers of Qwen2-VL and Qwen2.5-VL do differently. */
export interface TowerParts {
  norm<T>(layers: Layers<T>, x: T, module: string, epsilon: number): T;
  mlp<T>(layers: Layers<T>, config: Qwen2VisionConfig, x: T, name: string): T;
  /** Whether patches of a layer see their window only. */
  windowed(layer: number): boolean;
}

const PARTS: TowerParts = {
  norm: (layers, x, module, epsilon) => layers.layerNorm(x, module, epsilon),
  mlp: (layers, { activation }, x, name) =>
    layers.linear(layers.activation(layers.linear(x, `${name}.fc1`, BIAS), activation), `${name}.fc2`, BIAS),
  windowed: () => false,
};

/** Qwen2-VL's tower and merger. Source: transformers modeling_qwen2_vl.py, Qwen2VisionTransformerPretrainedModel. */
export function vision<T>(layers: Layers<T>, config: Qwen2VlConfig, inputs: VisionInputs<T>): T {
  return tower(layers, config.vision, inputs, PARTS);
}

/** A tower over patches that lie in squares of `mergeSize`, each of which becomes a token: [N, tokens, hidden]. */
export function tower<T>(layers: Layers<T>, config: Qwen2VisionConfig, inputs: VisionInputs<T>, parts: TowerParts): T {
  const { mergeSize } = config;
  let x = layers.projectPatches(inputs.pixels, `${VISION}.patch_embed.proj`); // [N, P, D]
  for (let i = 0; i < config.layers; i++) x = layers.block(() => towerLayer(layers, config, x, i, parts));
  x = layers.joinPatches(parts.norm(layers, x, `${VISION}.merger.ln_q`, EPSILON), mergeSize ** 2); // [N, P/m^2, m^2*D]
  x = layers.activation(layers.linear(x, `${VISION}.merger.mlp.0`, BIAS), 'gelu');
  return layers.linear(x, `${VISION}.merger.mlp.2`, BIAS);
}

function towerLayer<T>(
  layers: Layers<T>,
  config: Qwen2VisionConfig,
  x: T,
  layer: number,
  { norm, mlp, windowed }: TowerParts,
): T {
  const { heads, hiddenSize } = config;
  const name = `${VISION}.blocks.${layer}`;
  let h = layers.linear(norm(layers, x, `${name}.norm1`, EPSILON), `${name}.attn.qkv`, BIAS);
  const [q, k, v] = layers.split(h, 3) as [T, T, T];
  const options = { heads, kvHeads: heads, headDim: hiddenSize / heads, rotary: visionRotary(config) };
  h = layers.attention(q, k, v, { ...options, tower: 'vision', layer, windowed: windowed(layer) });
  x = layers.add(x, layers.linear(h, `${name}.attn.proj`, BIAS));
  return layers.add(x, mlp(layers, config, norm(layers, x, `${name}.norm2`, EPSILON), `${name}.mlp`));
}
