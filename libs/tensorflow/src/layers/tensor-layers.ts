import type { Activation, AttentionOptions, Layers, PatchEmbedOptions, VisionInputs } from '@mpa/vlm';
import { tf } from '../tf.js';
import type { Tensor } from '../tf.js';
import { activations } from './activation.js';
import { attention } from './attention.js';
import type { AttentionContext } from './attention.js';
import { linear } from './linear.js';
import type { LoraWeights } from './linear.js';
import { layerNorm, rmsNorm } from './normalisation.js';
import { cutPatches, joinPatches, pixelShuffle } from './patches.js';
import { rotate } from './rotary.js';
import type { RotaryTable } from './rotary.js';
import { lookUp, placeRows } from './rows.js';
import { intoWindows, outOfWindows } from './windows.js';
import type { Windows } from './windows.js';

/** The weights of a model as tensors, by name; what of them learns. */
export interface TensorWeights {
  /** Throws TensorflowError for an unknown name. */
  get(name: string): Tensor;
  isFrozen(name: string): boolean;
  lora(module: string): LoraWeights | undefined;
}

/**
 * One batch of token sequences, laid out for the decoder: B sequences of T tokens. Made outside the function whose
 * gradient is taken, which frees what it makes itself before the backward pass.
 */
export interface TextLayout {
  /** Rotation of each token by its position. */
  readonly rotary: RotaryTable;
  /** [B, 1, T, T], 0 or -1e9. */
  readonly mask: Tensor;
  /** Where image features go, see {@link placeRows}; absent for text alone. */
  readonly placement: { readonly source: Tensor; readonly taken: Tensor; readonly kept: Tensor } | undefined;
}

/** Views of one size, laid out for the vision tower; made outside the function whose gradient is taken, too. */
export interface VisionLayout {
  readonly inputs: VisionInputs<Tensor>;
  /** Rotation of each patch by its position. */
  readonly rotary: RotaryTable | undefined;
  readonly windows: Windows | undefined;
}

/** What one forward pass is about. */
export interface TensorLayersContext {
  readonly text?: TextLayout;
  readonly vision?: VisionLayout;
  /** Receives the attention probabilities [B, heads, T, T] of each layer of the text tower. */
  readonly record?: (layer: number, probabilities: Tensor) => void;
  /** Receives the vision tower's output [N, P, D], one row per patch, before the connector. */
  readonly recordPatches?: ((patches: Tensor) => void) | undefined;
  /** Whether the vision tower gets no gradient from what follows it. */
  readonly frozenTower?: boolean;
}

/** {@link Layers} on TensorFlow: eager, differentiable in every weight that is not frozen. */
export class TensorLayers implements Layers<Tensor> {
  constructor(
    private readonly weights: TensorWeights,
    private readonly context: TensorLayersContext,
  ) {}

  block(work: () => Tensor): Tensor {
    // What is recorded must outlive the block.
    return this.context.record ? work() : tf.tidy(work);
  }

  add(a: Tensor, b: Tensor): Tensor {
    return a.add(b);
  }

  multiply(a: Tensor, b: Tensor): Tensor {
    return a.mul(b);
  }

  addWeight(x: Tensor, weight: string): Tensor {
    return x.add(this.weights.get(weight));
  }

  scale(x: Tensor, weight: string): Tensor {
    return x.mul(this.weights.get(weight));
  }

  prependToken(x: Tensor, weight: string): Tensor {
    const [tiles = 0, , width = 0] = x.shape;
    const token = this.weights.get(weight).reshape([1, 1, width]).tile([tiles, 1, 1]);
    return tf.concat([token, x], 1);
  }

  dropFirst(x: Tensor): Tensor {
    const [tiles = 0, patches = 0, width = 0] = x.shape;
    return x.slice([0, 1, 0], [tiles, patches - 1, width]);
  }

  concat(parts: readonly Tensor[]): Tensor {
    return tf.concat([...parts], -1);
  }

  activation(x: Tensor, kind: Activation): Tensor {
    return activations[kind](x);
  }

  linear(x: Tensor, module: string, options: { readonly bias?: boolean } = {}): Tensor {
    return linear(x, {
      weight: this.weights.get(`${module}.weight`),
      bias: options.bias ? this.weights.get(`${module}.bias`) : undefined,
      frozen: this.weights.isFrozen(`${module}.weight`),
      lora: this.weights.lora(module),
    });
  }

  embedding(ids: Tensor, weight: string): Tensor {
    const table = this.weights.get(weight);
    return lookUp(table, ids.flatten()).reshape([...ids.shape, table.shape[1]!]);
  }

  layerNorm(x: Tensor, module: string, epsilon: number): Tensor {
    return layerNorm(x, this.weights.get(`${module}.weight`), this.weights.get(`${module}.bias`), epsilon);
  }

  rmsNorm(x: Tensor, module: string, epsilon: number): Tensor {
    return rmsNorm(x, this.weights.get(`${module}.weight`), epsilon);
  }

  attention(q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions): Tensor {
    if (options.tower === 'text') return attention(q, k, v, options, this.textContext(options));
    return this.visionAttention(q, k, v, options);
  }

  private visionAttention(q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions): Tensor {
    const { rotary, windows } = this.context.vision ?? {};
    if (!options.windowed) return attention(q, k, v, options, { mask: undefined, rotary });
    if (!windows) throw new TypeError('a layer with windows needs the windows of its patches');
    const turn = (x: Tensor): Tensor =>
      rotary ? rotate(x.reshape([...x.shape.slice(0, 2), -1, options.headDim]), rotary).reshape(x.shape) : x;
    const [queries, keys, values] = [turn(q), turn(k), v].map((x) => intoWindows(x, windows)) as [Tensor, Tensor, Tensor]; // prettier-ignore
    const y = attention(queries, keys, values, options, { mask: windows.mask, rotary: undefined });
    return outOfWindows(y, windows, q.shape);
  }

  private textContext({ layer, rotary }: AttentionOptions): AttentionContext {
    const { text, record } = this.context;
    if (!text) throw new TypeError('a text layer needs the layout of its tokens');
    return {
      mask: text.mask,
      rotary: rotary && text.rotary,
      ...(record && { record: (p: Tensor) => record(layer, p) }),
    };
  }

  patchEmbed(pixels: Tensor, module: string, { patchSize, bias }: PatchEmbedOptions): Tensor {
    const weight = this.weights.get(`${module}.weight`);
    return linear(cutPatches(pixels, patchSize), {
      weight: weight.reshape([weight.shape[0], -1]),
      bias: bias ? this.weights.get(`${module}.bias`) : undefined,
      frozen: this.weights.isFrozen(`${module}.weight`),
    });
  }

  projectPatches(patches: Tensor, module: string): Tensor {
    const weight = this.weights.get(`${module}.weight`);
    const frozen = this.weights.isFrozen(`${module}.weight`);
    return linear(patches, { weight: weight.reshape([weight.shape[0], -1]), frozen });
  }

  split(x: Tensor, count: number): Tensor[] {
    return tf.split(x, count, -1);
  }

  joinPatches(x: Tensor, count: number): Tensor {
    return joinPatches(x, count);
  }

  pixelShuffle(x: Tensor, scale: number): Tensor {
    this.context.recordPatches?.(x);
    return pixelShuffle(this.context.frozenTower ? withoutGradient(x) : x, scale);
  }

  placeImageFeatures(x: Tensor, features: Tensor): Tensor {
    const placement = this.context.text?.placement;
    if (!placement) throw new TypeError('image features need their placement among the tokens');
    const width = x.shape[2]!;
    const rows = features.reshape([-1, width]);
    return placeRows(x.reshape([-1, width]), rows, placement.source, placement.taken, placement.kept).reshape(x.shape);
  }
}

/** The same values, through which no gradient goes back. */
function withoutGradient(x: Tensor): Tensor {
  return tf.customGrad((input) => ({
    value: (input as Tensor).clone(),
    gradFunc: (dy: Tensor) => tf.zerosLike(dy),
  }))(x);
}
