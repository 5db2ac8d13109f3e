import type { CheckpointDescription } from './checkpoint.js';
import type { AttentionOptions, Layers, PatchEmbedOptions } from './layers.js';
import type { ImageInput } from './processor.js';
import { mapInputs } from './vision-inputs.js';
import type { PlainTensor } from './vision-inputs.js';

/** What one answer is made from. */
export interface AnswerSize {
  /** The image, as the model's processor prepares it. */
  readonly image: Pick<ImageInput, 'vision'>;
  /** Tokens of the prompt, image tokens included. */
  readonly promptTokens: number;
  /** Tokens of the answer, the end token included. */
  readonly answerTokens: number;
}

/** Floating-point operations of one answer, by what they are spent on. */
export interface AnswerFlops {
  readonly vision: number;
  readonly prefill: number;
  readonly decode: number;
}

/**
 * Floating-point operations of matrix products and convolutions (two for a multiply-add; elementwise work is not counted, as is usual),
 * of an answer with the KV cache: the head reads only the last token of the prompt, and causal attention is counted in full, as it
 * is computed.
 */
export function countFlops(
  { family, config, shape }: Pick<CheckpointDescription, 'family' | 'config' | 'shape'>,
  { image, promptTokens, answerTokens }: AnswerSize,
): AnswerFlops {
  const weights = family.weights(config);
  const { windows } = image.vision;
  const pairs = windows && windowPairs(windows);
  const counted = (work: (layers: Layers<Shape>) => void, cached = 0): number => {
    const counter = new CountingLayers(weights, cached, pairs);
    work(counter);
    return counter.flops;
  };
  const step = (layers: Layers<Shape>, tokens: number): void => {
    family.text(layers, config, { ids: [1, tokens] });
    family.head(layers, config, [1, 1, shape.hiddenSize]);
  };
  const inputs = mapInputs(image.vision, ({ shape }) => shape);
  const vision = counted((layers) => family.vision(layers, config, inputs));
  const prefill = counted((layers) => step(layers, promptTokens));
  let decode = 0;
  // The last token of the answer is not read again.
  for (let i = 0; i < answerTokens - 1; i++) decode += counted((layers) => step(layers, 1), promptTokens + i);
  return { vision, prefill, decode };
}

type Shape = readonly number[];

/** The vocabulary of layers over shapes alone. */
class CountingLayers implements Layers<Shape> {
  flops = 0;

  constructor(
    private readonly weights: ReadonlyMap<string, readonly number[]>,
    /** Keys and values of earlier tokens, for the text tower. */
    private readonly cached: number,
    /** Pairs of patches that windows let see each other, over all views. */
    private readonly pairs = 0,
  ) {}

  block = (work: () => Shape): Shape => work();
  add = (a: Shape): Shape => a;
  addWeight = (x: Shape): Shape => x;
  scale = (x: Shape): Shape => x;
  multiply = (a: Shape): Shape => a;
  activation = (x: Shape): Shape => x;
  layerNorm = (x: Shape): Shape => x;
  rmsNorm = (x: Shape): Shape => x;
  placeImageFeatures = (x: Shape): Shape => x;

  prependToken = ([n, patches, width]: Shape): Shape => [n!, patches! + 1, width!];
  dropFirst = ([n, patches, width]: Shape): Shape => [n!, patches! - 1, width!];

  concat(parts: readonly Shape[]): Shape {
    return [...parts[0]!.slice(0, -1), parts.reduce((sum, part) => sum + part.at(-1)!, 0)];
  }

  linear(x: Shape, module: string): Shape {
    const [out] = this.#weight(`${module}.weight`);
    this.flops += 2 * sizeOf(x) * out!;
    return [...x.slice(0, -1), out!];
  }

  embedding(ids: Shape, weight: string): Shape {
    return [...ids, this.#weight(weight)[1]!];
  }

  attention(q: Shape, k: Shape, _v: Shape, { tower, windowed }: AttentionOptions): Shape {
    const keys = k.at(-2)! + (tower === 'text' ? this.cached : 0);
    const pairs = windowed ? this.pairs : keys * sizeOf(q.slice(0, -1));
    this.flops += 2 * (2 * q.at(-1)! * pairs);
    return q;
  }

  patchEmbed(pixels: Shape, module: string, { patchSize }: PatchEmbedOptions): Shape {
    const [n, channels, height, width] = pixels as [number, number, number, number];
    const [out] = this.#weight(`${module}.weight`);
    const patches = Math.floor(height / patchSize) * Math.floor(width / patchSize);
    this.flops += 2 * n * patches * channels * patchSize ** 2 * out!;
    return [n, patches, out!];
  }

  projectPatches(patches: Shape, module: string): Shape {
    return this.linear(patches, module);
  }

  split(x: Shape, count: number): Shape[] {
    return new Array<Shape>(count).fill([...x.slice(0, -1), x.at(-1)! / count]);
  }

  joinPatches([n, patches, width]: Shape, count: number): Shape {
    return [n!, patches! / count, width! * count];
  }

  pixelShuffle([n, patches, width]: Shape, scale: number): Shape {
    return [n!, patches! / scale ** 2, width! * scale ** 2];
  }

  #weight(name: string): readonly number[] {
    const shape = this.weights.get(name);
    if (!shape) throw new Error(`the family reads ${name} and does not list it`);
    return shape;
  }
}

/** Pairs within the windows [N, W, S], the missing patches (-1) of windows at the edge left out. */
function windowPairs({ data, shape }: PlainTensor): number {
  const size = shape[2]!;
  let pairs = 0;
  for (let at = 0; at < data.length; at += size)
    pairs += data.subarray(at, at + size).filter((i) => i >= 0).length ** 2;
  return pairs;
}

function sizeOf(shape: Shape): number {
  return shape.reduce((product, n) => product * n, 1);
}
