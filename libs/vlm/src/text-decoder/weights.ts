import { CheckpointError } from '../checkpoint-error.js';
import type { WeightShapes } from '../weight-shapes.js';
import type { TextConfig } from './config.js';
import type { TextDecoder } from './modeling.js';

/** Adds the tensors of a decoder; its head too, unless that is the embedding table. */
export function addTextWeights(shapes: WeightShapes, { config: t, root, head }: TextDecoder): void {
  const embedding = `${root}.embed_tokens`;
  shapes.set(`${embedding}.weight`, [t.vocabSize, t.hiddenSize]);
  for (let i = 0; i < t.layers; i++) {
    const layer = `${root}.layers.${i}`;
    for (const [name, { out, input, bias }] of matrices(t)) shapes.linear(`${layer}.${name}`, out, input, bias);
    if (t.layerKind === 'phi') {
      shapes.layerNorm(`${layer}.input_layernorm`, t.hiddenSize);
    } else {
      shapes.rmsNorm(`${layer}.input_layernorm`, t.hiddenSize);
      shapes.rmsNorm(`${layer}.post_attention_layernorm`, t.hiddenSize);
    }
  }
  if (t.layerKind === 'phi') shapes.layerNorm(`${root}.final_layernorm`, t.hiddenSize);
  else shapes.rmsNorm(`${root}.norm`, t.hiddenSize);
  if (head !== embedding) shapes.linear(head, t.vocabSize, t.hiddenSize, false);
}

/**
 * The matrices of every layer, or those that LoRA targets such as q_proj name. Throws CheckpointError for a target that the layers do
 * not have.
 */
export function decoderModules({ config, root }: TextDecoder, targets?: readonly string[]): readonly string[] {
  const all = [...matrices(config).keys()];
  const named =
    targets?.map((target) => all.find((name) => name.endsWith(`.${target}`)) ?? unknown(target, all)) ?? all;
  return Array.from({ length: config.layers }, (_, i) => `${root}.layers.${i}`).flatMap((layer) =>
    named.map((name) => `${layer}.${name}`),
  );
}

interface Matrix {
  readonly out: number;
  readonly input: number;
  readonly bias: boolean;
}

/** The matrices of one layer by their names in it. */
function matrices(t: TextConfig): ReadonlyMap<string, Matrix> {
  const [queries, keys] = [t.heads * t.headDim, t.kvHeads * t.headDim];
  const output: Matrix = { out: t.hiddenSize, input: queries, bias: t.outputBias };
  const inner: Matrix = { out: t.intermediateSize, input: t.hiddenSize, bias: t.mlpBias };
  const outer: Matrix = { out: t.hiddenSize, input: t.intermediateSize, bias: t.mlpBias };
  return new Map([
    ['self_attn.q_proj', { out: queries, input: t.hiddenSize, bias: t.queryKeyValueBias }],
    ['self_attn.k_proj', { out: keys, input: t.hiddenSize, bias: t.queryKeyValueBias }],
    ['self_attn.v_proj', { out: keys, input: t.hiddenSize, bias: t.queryKeyValueBias }],
    ...(t.layerKind === 'phi'
      ? ([['self_attn.dense', output], ['mlp.fc1', inner], ['mlp.fc2', outer]] as const) // prettier-ignore
      : ([['self_attn.o_proj', output], ['mlp.gate_proj', inner], ['mlp.up_proj', inner], ['mlp.down_proj', outer]] as const)), // prettier-ignore
  ]);
}

function unknown(target: string, all: readonly string[]): never {
  const known = all.map((name) => name.replace(/^.*\./, '')).join(', ');
  throw new CheckpointError(`LoRA target ${target} is not in the text layers of this model; they have ${known}`);
}
