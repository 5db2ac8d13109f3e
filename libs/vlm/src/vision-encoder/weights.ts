import type { WeightShapes } from '../weight-shapes.js';
import type { VisionConfig } from './config.js';

/** Adds the tensors of every encoder layer, `${root}.layers.N`. */
export function addEncoderWeights(shapes: WeightShapes, config: VisionConfig, root: string): void {
  const { hiddenSize, intermediateSize } = config;
  for (let i = 0; i < config.layers; i++) {
    const layer = `${root}.layers.${i}`;
    for (const p of ['q_proj', 'k_proj', 'v_proj', 'out_proj']) {
      shapes.linear(`${layer}.self_attn.${p}`, hiddenSize, hiddenSize, true);
    }
    shapes.linear(`${layer}.mlp.fc1`, intermediateSize, hiddenSize, true);
    shapes.linear(`${layer}.mlp.fc2`, hiddenSize, intermediateSize, true);
    shapes.layerNorm(`${layer}.layer_norm1`, hiddenSize);
    shapes.layerNorm(`${layer}.layer_norm2`, hiddenSize);
  }
}
