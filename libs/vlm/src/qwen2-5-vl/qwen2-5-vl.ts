import type { CheckpointFiles } from '../checkpoint-files.js';
import type { Family } from '../family.js';
import type { Processor } from '../processor.js';
import { tower } from '../qwen2-vl/modeling.js';
import type { TowerParts } from '../qwen2-vl/modeling.js';
import { openQwen2VlProcessor } from '../qwen2-vl/processor.js';
import { qwen2Vl } from '../qwen2-vl/qwen2-vl.js';
import { towerWeights } from '../qwen2-vl/weights.js';
import { readQwen25VlConfig } from './config.js';
import type { Qwen25VlConfig } from './config.js';
import { windowsOf } from './windows.js';

const BIAS = { bias: true };

/**
 * Qwen2.5-VL: Qwen2-VL with windows in its tower, RMS norms and a gated MLP. Source: transformers modeling_qwen2_5_vl.py,
 * Qwen2_5_VisionTransformerPretrainedModel.
 */
export const qwen25Vl: Family<Qwen25VlConfig> = {
  ...qwen2Vl,
  modelTypes: ['qwen2_5_vl'],
  readConfig: readQwen25VlConfig,
  visionInputs: (config) => ({
    ...qwen2Vl.visionInputs(config),
    windows: { type: 'int32', shape: ['images', 'windows', 'patches of a window'] },
  }),
  weights: (config) => {
    const { hiddenSize, intermediateSize } = config.vision;
    return towerWeights(config, {
      addNorm: (shapes, module) => shapes.rmsNorm(module, hiddenSize),
      addMlp: (shapes, name) => {
        shapes.linear(`${name}.gate_proj`, intermediateSize, hiddenSize, true);
        shapes.linear(`${name}.up_proj`, intermediateSize, hiddenSize, true);
        shapes.linear(`${name}.down_proj`, hiddenSize, intermediateSize, true);
      },
    });
  },
  vision: (layers, { vision }, inputs) =>
    tower(layers, vision, inputs, {
      ...parts,
      windowed: (layer) => !vision.fullAttentionLayers.includes(layer),
    }),
};

const parts: Pick<TowerParts, 'norm' | 'mlp'> = {
  norm: (layers, x, module, epsilon) => layers.rmsNorm(x, module, epsilon),
  mlp: (layers, { activation }, x, name) => {
    const gate = layers.activation(layers.linear(x, `${name}.gate_proj`, BIAS), activation);
    return layers.linear(layers.multiply(gate, layers.linear(x, `${name}.up_proj`, BIAS)), `${name}.down_proj`, BIAS);
  },
};

/** The processor of a Qwen2.5-VL checkpoint: that of Qwen2-VL, and the windows of an image's patches. */
export function openQwen25VlProcessor(files: CheckpointFiles, config: Qwen25VlConfig): Promise<Processor> {
  return openQwen2VlProcessor(files, config, (grid) => windowsOf(config.vision, grid));
}
