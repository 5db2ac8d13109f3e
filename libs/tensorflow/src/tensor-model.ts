import type { Family, ImageInput, ModelShape } from '@mpa/vlm';
import { layOutViews } from './layout.js';
import type { BatchLayout } from './layout.js';
import type { LoraWeights } from './layers/linear.js';
import { selectRows } from './layers/rows.js';
import { TensorLayers } from './layers/tensor-layers.js';
import type { TensorLayersContext, TensorWeights, VisionLayout } from './layers/tensor-layers.js';
import type { Parameters } from './parameters.js';
import { tf } from './tf.js';
import type { Tensor } from './tf.js';

/** A model family over TensorFlow tensors. Every method makes new tensors and frees none: call inside `tf.tidy`. */
export class TensorModel<C> {
  readonly shape: ModelShape;

  constructor(
    private readonly family: Family<C>,
    private readonly config: C,
    readonly parameters: Parameters,
  ) {
    this.shape = family.shape(config);
  }

  private layers(context: TensorLayersContext): TensorLayers {
    return new TensorLayers(this.parameters, context);
  }

  /**
   * Image features [image tokens, hidden] of the batch, those that came with it if they did; undefined without images. `recordPatches`
   * receives the tower's output [N, P, D] before the connector; with `frozenTower` no gradient comes back to it from the features.
   */
  imageFeatures(
    { vision, features }: BatchLayout,
    options: Pick<TensorLayersContext, 'recordPatches' | 'frozenTower'> = {},
  ): Tensor | undefined {
    if (vision.length === 0) return features;
    const stacks = vision.map((views) => this.look(this.layers({ vision: views, ...options }), views));
    return stacks.length === 1 ? stacks[0] : tf.concat(stacks, 0);
  }

  private look(layers: TensorLayers, { inputs }: VisionLayout): Tensor {
    return this.family.vision(layers, this.config, inputs).reshape([-1, this.shape.hiddenSize]);
  }

  /**
   * {@link imageFeatures} of images as they are and stay, row by row; undefined when a parameter that learns has a part in
   * them, so that they change with every step. Frees what it makes.
   */
  frozenFeatures({ vision }: ImageInput): Float32Array | undefined {
    const watched = new WatchedWeights(this.parameters);
    const values = tf.tidy(() => {
      const views = layOutViews(vision, this.shape);
      return this.look(new TensorLayers(watched, { vision: views }), views).dataSync<'float32'>();
    });
    return watched.learns ? undefined : values;
  }

  /** Final hidden states [B * T, hidden]. `record` receives each text layer's attention [B, heads, T, T]. */
  hidden(layout: BatchLayout, imageFeatures: Tensor | undefined, record?: TensorLayersContext['record']): Tensor {
    const layers = this.layers({ text: layout.text, ...(record && { record }) });
    const inputs = { ids: layout.ids, ...(imageFeatures && { imageFeatures }) };
    return this.family.text(layers, this.config, inputs).reshape([-1, this.shape.hiddenSize]);
  }

  /** Logits [n, vocab] of hidden states [n, hidden]. */
  head(hidden: Tensor): Tensor {
    return this.family.head(this.layers({}), this.config, hidden);
  }

  /** Log-probability [m] of each labelled token of the batch given the tokens before it. */
  targetLogProbabilities(layout: BatchLayout, hidden: Tensor): Tensor {
    const { rows, tokens } = layout.targets;
    return pickLogProbabilities(this.head(selectRows(hidden, rows)), tokens);
  }
}

/** Weights that remember whether one that was asked for learns. */
class WatchedWeights implements TensorWeights {
  learns = false;

  constructor(private readonly weights: TensorWeights) {}

  get(name: string): Tensor {
    this.learns ||= !this.weights.isFrozen(name);
    return this.weights.get(name);
  }

  isFrozen(name: string): boolean {
    return this.weights.isFrozen(name);
  }

  lora(module: string): LoraWeights | undefined {
    const lora = this.weights.lora(module);
    this.learns ||= lora !== undefined;
    return lora;
  }
}

/** log softmax(logits [m, V])[i, tokens[i]] -> [m]; gradient `onehot - softmax`. */
export function pickLogProbabilities(logits: Tensor, tokens: Int32Array): Tensor {
  const [, vocabulary = 0] = logits.shape;
  return tf.customGrad((input, save) => {
    const logProbabilities = tf.logSoftmax(input as Tensor);
    const index = tf.tensor2d(
      Int32Array.from({ length: tokens.length * 2 }, (_, i) => (i % 2 === 0 ? i / 2 : tokens[(i - 1) / 2]!)),
      [tokens.length, 2],
      'int32',
    );
    (save as (tensors: Tensor[]) => void)([logProbabilities]);
    return {
      value: tf.gatherND(logProbabilities, index),
      gradFunc: (dy: Tensor, saved: Tensor[]) =>
        tf
          .oneHot(tf.tensor1d(tokens, 'int32'), vocabulary)
          .sub(saved[0]!.exp())
          .mul(dy.reshape([-1, 1])),
    };
  })(logits);
}

/** Weighted mean of the negative log-probabilities [m] over all labelled tokens of the batch. */
export function crossEntropy(logProbabilities: Tensor, weights: Float32Array): Tensor {
  const total = weights.reduce((sum, w) => sum + w, 0);
  return logProbabilities.mul(tf.tensor1d(weights)).sum().neg().div(total);
}
