import { describe, expect, it } from 'vitest';
import { plainRotary } from '../rotary.js';
import { textConfigSchema } from './config.js';

const schema = textConfigSchema('llama');

describe('a Phi text config', () => {
  it('has the defaults of transformers, which are those of Phi 1.5', () => {
    expect(schema.parse({ model_type: 'phi' })).toEqual({
      layerKind: 'phi',
      vocabSize: 51200,
      hiddenSize: 2048,
      intermediateSize: 8192,
      layers: 24,
      heads: 32,
      kvHeads: 32,
      headDim: 64,
      normEpsilon: 1e-5,
      rotary: plainRotary(10000, 32),
      maxPositions: 2048,
      activation: 'gelu_pytorch_tanh',
      queryKeyValueBias: true,
      outputBias: true,
      mlpBias: true,
      tieWordEmbeddings: undefined,
    });
  });

  it('says beside or within the rotary parameters how much of a head is turned, and there first', () => {
    const [hidden_size, theta] = [2560, 5000];
    const nested = { rope_theta: theta, partial_rotary_factor: 0.4, rope_type: 'default' };
    for (const rope of [
      { partial_rotary_factor: 0.4, rope_theta: theta, rope_scaling: null },
      { rope_parameters: nested },
      { rope_parameters: nested, partial_rotary_factor: 0.5, rope_theta: 10000 },
    ]) {
      expect(schema.parse({ model_type: 'phi', hidden_size, ...rope }).rotary).toEqual(plainRotary(theta, 32));
    }
  });
});

describe('a Mistral text config', () => {
  it('is that of a Llama with its own defaults', () => {
    const { rotary, ...mistral } = schema.parse({ model_type: 'mistral', sliding_window: null });
    expect(rotary).toEqual(plainRotary(10000, 128));
    const fields = { intermediate_size: 14336, num_key_value_heads: 8, max_position_embeddings: 131072 };
    expect(schema.parse({ model_type: 'llama', ...fields })).toEqual({ ...mistral, rotary });
  });

  it('may have a window that no prompt is longer than', () => {
    const config = { model_type: 'mistral', sliding_window: 4096, max_position_embeddings: 4096 };
    expect(schema.safeParse(config).success).toBe(true);
    expect(schema.safeParse({ ...config, max_position_embeddings: 4097 }).success).toBe(false);
  });
});
