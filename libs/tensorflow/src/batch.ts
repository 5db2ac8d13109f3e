import { stackViews, tokenPositions } from '@mpa/vlm';
import type { ImageInput, ModelShape, PlainTensor, VisionInputs } from '@mpa/vlm';
import { TensorflowError } from './tensorflow-error.js';

/** Label of a token that the loss leaves out. */
export const IGNORED = -100;

/** An image whose features are known, for a training that leaves the vision tower as it is. */
export interface EncodedImage extends Pick<ImageInput, 'tokens' | 'grid'> {
  /** [tokens, hiddenSize], what {@link TensorModel.frozenFeatures} gives. */
  readonly features: Float32Array;
}

/** One sequence to learn from. */
export interface TrainingSample<Image extends ImageInput | EncodedImage = ImageInput> {
  /** [T] token ids, image placeholders expanded. */
  readonly ids: Int32Array;
  /** [T] the token itself where the model should learn to predict it, else {@link IGNORED}. */
  readonly labels: Int32Array;
  /** Images in order of their placeholders. */
  readonly images: readonly Image[];
  /**
   * [T] several continuations of one shared beginning: tokens of segment 0 are seen by all, those of segment k > 0 by
   * segment k alone, and positions go on from the end of segment 0. Equal to separate sequences, at a fraction of
   * the cost. Absent: one plain sequence.
   */
  readonly segments?: Int32Array | undefined;
  /** Weight of this sample's tokens in the loss; default 1. */
  readonly weight?: number | undefined;
}

/** Samples padded on the right to one length, as plain arrays. */
export interface Batch {
  readonly samples: number;
  readonly length: number;
  /** [B, T] */
  readonly ids: Int32Array;
  /** [B, T] */
  readonly labels: Int32Array;
  /** [B, T, axes], see `tokenPositions`. */
  readonly positions: Int32Array;
  /** [B, T]; -1 where padding. */
  readonly segments: Int32Array;
  /** [B] */
  readonly weights: Float32Array;
  /** The images of all samples in order, neighbours whose views are of one size stacked. */
  readonly vision: readonly VisionInputs<PlainTensor>[];
  /** Features of all images in the place of pixels. */
  readonly features: Float32Array | undefined;
}

/**
 * Pads and stacks samples. Throws TensorflowError when a sample's placeholders and image tokens do not match, or some
 * images come as pixels and others as features.
 */
export function collate(samples: readonly TrainingSample<ImageInput | EncodedImage>[], shape: ModelShape): Batch {
  const length = Math.max(...samples.map((s) => s.ids.length));
  const size = samples.length * length;
  const axes = shape.textRotary.axes ? 3 : 1;
  const text = {
    ids: new Int32Array(size),
    labels: new Int32Array(size).fill(IGNORED),
    positions: new Int32Array(size * axes),
    segments: new Int32Array(size).fill(-1),
  };
  samples.forEach((sample, row) => {
    checkPlaceholders(sample, shape);
    const at = row * length;
    text.ids.set(sample.ids, at);
    text.labels.set(sample.labels, at);
    text.positions.set(tokenPositions(shape, sample.ids, sample.images, sample.segments).positions, at * axes);
    text.segments.set(sample.segments ?? new Int32Array(sample.ids.length), at);
  });
  return {
    samples: samples.length,
    length,
    ...text,
    weights: Float32Array.from(samples, (s) => s.weight ?? 1),
    ...stackImages(samples.flatMap((s) => s.images)),
  };
}

function stackImages(all: readonly (ImageInput | EncodedImage)[]): Pick<Batch, 'vision' | 'features'> {
  const encoded = all.flatMap((image) => ('features' in image ? [image] : []));
  const images = all.flatMap((image) => ('features' in image ? [] : [image]));
  if (encoded.length > 0 && images.length > 0) {
    throw new TensorflowError(
      `${images.length} images of a batch are pixels and ${encoded.length} features; encode all`,
    );
  }
  return {
    vision: [...stackViews(images.map(({ vision }) => vision))],
    features: encoded.length > 0 ? joined(encoded.map(({ features }) => features)) : undefined,
  };
}

function checkPlaceholders({ ids, images }: TrainingSample<ImageInput | EncodedImage>, shape: ModelShape): void {
  const placeholders = ids.reduce((n, id) => n + (id === shape.imageTokenId ? 1 : 0), 0);
  const tokens = images.reduce((n, i) => n + i.tokens, 0);
  if (placeholders !== tokens) {
    throw new TensorflowError(`a sample has ${placeholders} image placeholders but its images make ${tokens} tokens`);
  }
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
