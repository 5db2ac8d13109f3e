import { addTextWeights } from '../text-decoder/weights.js';
import { WeightShapes } from '../weight-shapes.js';
import type { Qwen2VlConfig } from './config.js';
import { decoderOf, VISION } from './modeling.js';

/** Every tensor of a Qwen2-VL checkpoint with its shape, under the names of the published ones. */
export function qwen2VlWeights(config: Qwen2VlConfig): ReadonlyMap<string, readonly number[]> {
  const { hiddenSize, intermediateSize } = config.vision;
  return towerWeights(config, {
    addNorm: (shapes, module) => shapes.layerNorm(module, hiddenSize),
    addMlp: (shapes, name) => {
      shapes.linear(`${name}.fc1`, intermediateSize, hiddenSize, true);
      shapes.linear(`${name}.fc2`, hiddenSize, intermediateSize, true);
    },
  });
}

/** What the towers of Qwen2-VL and Qwen2.5-VL have of their own. */
export interface TowerWeights {
  addNorm(shapes: WeightShapes, module: string): void;
  addMlp(shapes: WeightShapes, name: string): void;
}

/** The tensors of a model with such a tower. */
export function towerWeights(config: Qwen2VlConfig, { addNorm, addMlp }: TowerWeights): WeightShapes {
  const { hiddenSize, layers, patchSize, temporalPatchSize, mergeSize } = config.vision;
  const shapes = new WeightShapes();
  shapes.set(`${VISION}.patch_embed.proj.weight`, [hiddenSize, 3, temporalPatchSize, patchSize, patchSize]);
  for (let i = 0; i < layers; i++) {
    const block = `${VISION}.blocks.${i}`;
    addNorm(shapes, `${block}.norm1`);
    addNorm(shapes, `${block}.norm2`);
    shapes.linear(`${block}.attn.qkv`, 3 * hiddenSize, hiddenSize, true);
    shapes.linear(`${block}.attn.proj`, hiddenSize, hiddenSize, true);
    addMlp(shapes, `${block}.mlp`);
  }
  const joined = hiddenSize * mergeSize ** 2;
  addNorm(shapes, `${VISION}.merger.ln_q`);
  shapes.linear(`${VISION}.merger.mlp.0`, joined, joined, true);
  shapes.linear(`${VISION}.merger.mlp.2`, config.text.hiddenSize, joined, true);
  addTextWeights(shapes, decoderOf(config));
  return shapes;
}

/** The published name of a tensor or module that `transformers` has in memory under another. */
export function publishedName(name: string): string {
  return name.replace(/^model\.visual\./, `${VISION}.`).replace(/^model\.language_model\./, 'model.');
}
