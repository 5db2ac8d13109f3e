import { describe, expect, it } from 'vitest';
import { CheckpointError } from '../checkpoint-error.js';
import { textConfigSchema } from './config.js';
import type { TextDecoder } from './modeling.js';
import { addTextWeights, decoderModules } from './weights.js';
import { WeightShapes } from '../weight-shapes.js';

const sizes = { num_hidden_layers: 1, hidden_size: 8, num_attention_heads: 2, intermediate_size: 12, vocab_size: 20 };

function decoderOf(model_type: string): TextDecoder {
  const config = textConfigSchema('llama').parse({ model_type, ...sizes, sliding_window: null });
  return { config, root: 'text', head: 'head', imageTokenId: 1 };
}

it.each([
  [
    'llama',
    'self_attn.q_proj self_attn.k_proj self_attn.v_proj self_attn.o_proj mlp.gate_proj mlp.up_proj mlp.down_proj',
  ],
  ['phi', 'self_attn.q_proj self_attn.k_proj self_attn.v_proj self_attn.dense mlp.fc1 mlp.fc2'],
])('all matrices of the layers of %s learn where no target is named', (type, names) => {
  const modules = decoderModules(decoderOf(type));
  expect(modules).toEqual(names.split(' ').map((name) => `text.layers.0.${name}`));
  const shapes = new WeightShapes();
  addTextWeights(shapes, decoderOf(type));
  const matrices = [...shapes].filter(([name, shape]) => name.includes('.layers.') && shape.length === 2);
  expect(modules.map((module) => `${module}.weight`)).toEqual(matrices.map(([name]) => name));
});

describe('LoRA targets', () => {
  it('are found in every layer', () => {
    expect(decoderModules(decoderOf('phi'), ['fc2', 'q_proj'])).toEqual([
      'text.layers.0.mlp.fc2',
      'text.layers.0.self_attn.q_proj',
    ]);
  });

  it('that the layers do not have are refused with those that they have', () => {
    const refused = (): unknown => decoderModules(decoderOf('phi'), ['q_proj', 'o_proj']);
    expect(refused).toThrow(CheckpointError);
    expect(refused).toThrow(
      'LoRA target o_proj is not in the text layers of this model; they have q_proj, k_proj, v_proj, dense, fc1, fc2',
    );
  });
});
