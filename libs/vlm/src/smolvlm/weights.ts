import type { SmolVlmConfig } from './config.js';

/** Every tensor of a SmolVLM / Idefics3 checkpoint with its shape, under Hugging Face's names. */
export function smolVlmWeights(config: SmolVlmConfig): ReadonlyMap<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>();
  const linear = (module: string, out: number, input: number, bias: boolean): void => {
    shapes.set(`${module}.weight`, [out, input]);
    if (bias) shapes.set(`${module}.bias`, [out]);
  };
  const norm = (module: string, width: number, bias: boolean): void => {
    shapes.set(`${module}.weight`, [width]);
    if (bias) shapes.set(`${module}.bias`, [width]);
  };
  visionWeights(config, shapes, linear, norm);
  textWeights(config, shapes, linear, norm);
  return shapes;
}

type Linear = (module: string, out: number, input: number, bias: boolean) => void;
type Norm = (module: string, width: number, bias: boolean) => void;

function visionWeights(
  config: SmolVlmConfig,
  shapes: Map<string, readonly number[]>,
  linear: Linear,
  norm: Norm,
): void {
  const { vision: v, text: t, scaleFactor } = config;
  const root = 'model.vision_model';
  shapes.set(`${root}.embeddings.patch_embedding.weight`, [v.hiddenSize, 3, v.patchSize, v.patchSize]);
  shapes.set(`${root}.embeddings.patch_embedding.bias`, [v.hiddenSize]);
  shapes.set(`${root}.embeddings.position_embedding.weight`, [
    Math.floor(v.imageSize / v.patchSize) ** 2,
    v.hiddenSize,
  ]);
  for (let i = 0; i < v.layers; i++) {
    const layer = `${root}.encoder.layers.${i}`;
    for (const p of ['q_proj', 'k_proj', 'v_proj', 'out_proj']) {
      linear(`${layer}.self_attn.${p}`, v.hiddenSize, v.hiddenSize, true);
    }
    linear(`${layer}.mlp.fc1`, v.intermediateSize, v.hiddenSize, true);
    linear(`${layer}.mlp.fc2`, v.hiddenSize, v.intermediateSize, true);
    norm(`${layer}.layer_norm1`, v.hiddenSize, true);
    norm(`${layer}.layer_norm2`, v.hiddenSize, true);
  }
  norm(`${root}.post_layernorm`, v.hiddenSize, true);
  linear('model.connector.modality_projection.proj', t.hiddenSize, v.hiddenSize * scaleFactor ** 2, false);
}

function textWeights(config: SmolVlmConfig, shapes: Map<string, readonly number[]>, linear: Linear, norm: Norm): void {
  const { text: t } = config;
  const root = 'model.text_model';
  shapes.set(`${root}.embed_tokens.weight`, [t.vocabSize, t.hiddenSize]);
  for (let i = 0; i < t.layers; i++) {
    const layer = `${root}.layers.${i}`;
    linear(`${layer}.self_attn.q_proj`, t.heads * t.headDim, t.hiddenSize, t.attentionBias);
    linear(`${layer}.self_attn.k_proj`, t.kvHeads * t.headDim, t.hiddenSize, t.attentionBias);
    linear(`${layer}.self_attn.v_proj`, t.kvHeads * t.headDim, t.hiddenSize, t.attentionBias);
    linear(`${layer}.self_attn.o_proj`, t.hiddenSize, t.heads * t.headDim, t.attentionBias);
    linear(`${layer}.mlp.gate_proj`, t.intermediateSize, t.hiddenSize, t.mlpBias);
    linear(`${layer}.mlp.up_proj`, t.intermediateSize, t.hiddenSize, t.mlpBias);
    linear(`${layer}.mlp.down_proj`, t.hiddenSize, t.intermediateSize, t.mlpBias);
    norm(`${layer}.input_layernorm`, t.hiddenSize, false);
    norm(`${layer}.post_attention_layernorm`, t.hiddenSize, false);
  }
  norm(`${root}.norm`, t.hiddenSize, false);
  if (!config.tieWordEmbeddings) shapes.set('lm_head.weight', [t.vocabSize, t.hiddenSize]);
}
