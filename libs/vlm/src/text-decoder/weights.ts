import type { WeightShapes } from '../weight-shapes.js';
import type { TextDecoder } from './modeling.js';

/** Adds the tensors of a decoder; its head too, unless that is the embedding table. */
export function addTextWeights(shapes: WeightShapes, { config: t, root, head }: TextDecoder): void {
  const embedding = `${root}.embed_tokens`;
  shapes.set(`${embedding}.weight`, [t.vocabSize, t.hiddenSize]);
  for (let i = 0; i < t.layers; i++) {
    const layer = `${root}.layers.${i}`;
    const [queries, keys] = [t.heads * t.headDim, t.kvHeads * t.headDim];
    shapes.linear(`${layer}.self_attn.q_proj`, queries, t.hiddenSize, t.queryKeyValueBias);
    shapes.linear(`${layer}.self_attn.k_proj`, keys, t.hiddenSize, t.queryKeyValueBias);
    shapes.linear(`${layer}.self_attn.v_proj`, keys, t.hiddenSize, t.queryKeyValueBias);
    shapes.linear(`${layer}.self_attn.o_proj`, t.hiddenSize, queries, t.outputBias);
    shapes.linear(`${layer}.mlp.gate_proj`, t.intermediateSize, t.hiddenSize, t.mlpBias);
    shapes.linear(`${layer}.mlp.up_proj`, t.intermediateSize, t.hiddenSize, t.mlpBias);
    shapes.linear(`${layer}.mlp.down_proj`, t.hiddenSize, t.intermediateSize, t.mlpBias);
    shapes.rmsNorm(`${layer}.input_layernorm`, t.hiddenSize);
    shapes.rmsNorm(`${layer}.post_attention_layernorm`, t.hiddenSize);
  }
  shapes.rmsNorm(`${root}.norm`, t.hiddenSize);
  if (head !== embedding) shapes.linear(head, t.vocabSize, t.hiddenSize, false);
}

/** Modules of every layer that LoRA targets such as q_proj name. */
export function decoderModules({ config, root }: TextDecoder, targets: readonly string[]): readonly string[] {
  const mlp = ['gate_proj', 'up_proj', 'down_proj'];
  return Array.from({ length: config.layers }, (_, i) => `${root}.layers.${i}`).flatMap((layer) =>
    targets.map((target) => `${layer}.${mlp.includes(target) ? 'mlp' : 'self_attn'}.${target}`),
  );
}
