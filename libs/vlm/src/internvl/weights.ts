import { addTextWeights } from '../text-decoder/weights.js';
import { WeightShapes } from '../weight-shapes.js';
import type { InternVlConfig } from './config.js';
import { decoderOf, PROJECTOR, VISION } from './modeling.js';

/** Every tensor of an InternVL checkpoint with its shape, under the names of the published ones. */
export function internVlWeights(config: InternVlConfig): ReadonlyMap<string, readonly number[]> {
  const { vision: v, text, scaleFactor } = config;
  const shapes = new WeightShapes();
  const embeddings = `${VISION}.embeddings`;
  shapes.set(`${embeddings}.cls_token`, [1, 1, v.hiddenSize]);
  if (v.maskToken) shapes.set(`${embeddings}.mask_token`, [1, 1, v.hiddenSize]);
  const patches = Math.floor(v.imageSize / v.patchSize) ** 2;
  if (v.positions) shapes.set(`${embeddings}.position_embeddings`, [1, patches + 1, v.hiddenSize]);
  shapes.patchEmbed(`${embeddings}.patch_embeddings.projection`, v.hiddenSize, v.patchSize, true);
  for (let i = 0; i < v.layers; i++) addLayer(shapes, v, `${VISION}.encoder.layer.${i}`);
  if (v.finalNorm) shapes.layerNorm(`${VISION}.layernorm`, v.hiddenSize);
  const width = v.hiddenSize * scaleFactor ** 2;
  shapes.layerNorm(`${PROJECTOR}.layer_norm`, width);
  shapes.linear(`${PROJECTOR}.linear_1`, text.hiddenSize, width, true);
  shapes.linear(`${PROJECTOR}.linear_2`, text.hiddenSize, text.hiddenSize, true);
  addTextWeights(shapes, decoderOf(config));
  return shapes;
}

function addLayer(shapes: WeightShapes, v: InternVlConfig['vision'], layer: string): void {
  for (const p of ['q_proj', 'k_proj', 'v_proj']) {
    shapes.linear(`${layer}.attention.${p}`, v.hiddenSize, v.hiddenSize, v.queryKeyValueBias);
  }
  if (v.queryKeyNorm) for (const p of ['q_norm', 'k_norm']) shapes.rmsNorm(`${layer}.attention.${p}`, v.hiddenSize);
  shapes.linear(`${layer}.attention.projection_layer`, v.hiddenSize, v.hiddenSize, true);
  shapes.linear(`${layer}.mlp.fc1`, v.intermediateSize, v.hiddenSize, true);
  shapes.linear(`${layer}.mlp.fc2`, v.hiddenSize, v.intermediateSize, true);
  for (const norm of ['layernorm_before', 'layernorm_after']) {
    if (v.norm === 'rms_norm') shapes.rmsNorm(`${layer}.${norm}`, v.hiddenSize);
    else shapes.layerNorm(`${layer}.${norm}`, v.hiddenSize);
  }
  for (const lambda of ['lambda_1', 'lambda_2']) shapes.set(`${layer}.${lambda}`, [v.hiddenSize]);
}
