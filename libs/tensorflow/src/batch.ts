import type { ModelShape } from '@mpa/vlm';
import { TensorflowError } from './tensorflow-error.js';

/** Label of a token that the loss leaves out. */
export const IGNORED = -100;

/** An image as the vision tower reads it. */
export interface ImageInput {
  /** Normalised [tiles, 3, h, w]. */
  readonly pixels: Float32Array;
  readonly tiles: number;
  /** [tiles, P] */
  readonly positionIds: Int32Array;
  /** [tiles, P], 0 where a patch is padding; absent when none is. */
  readonly patchMask?: Uint8Array | undefined;
}

/** An image whose features are known, for a training that leaves the vision tower as it is. */
export interface EncodedImage {
  /** [tiles, tokensPerTile, hiddenSize], what {@link TensorModel.frozenFeatures} gives. */
  readonly features: Float32Array;
  readonly tiles: number;
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
  /** [B, T] */
  readonly positions: Int32Array;
  /** [B, T]; -1 where padding. */
  readonly segments: Int32Array;
  /** [B] */
  readonly weights: Float32Array;
  /** All tiles of all samples. */
  readonly pixels: Float32Array;
  readonly tiles: number;
  readonly positionIds: Int32Array;
  readonly patchMask: Uint8Array | undefined;
  /** Features of all tiles in the place of pixels, position ids and mask, which then are empty. */
  readonly features: Float32Array | undefined;
}

/**
 * Pads and stacks samples. Throws TensorflowError when a sample's placeholders and image tokens do not match, or some
 * images come as pixels and others as features.
 */
export function collate(samples: readonly TrainingSample<ImageInput | EncodedImage>[], shape: ModelShape): Batch {
  const length = Math.max(...samples.map((s) => s.ids.length));
  const size = samples.length * length;
  const text = {
    ids: new Int32Array(size),
    labels: new Int32Array(size).fill(IGNORED),
    positions: new Int32Array(size),
    segments: new Int32Array(size).fill(-1),
  };
  samples.forEach((sample, row) => {
    checkPlaceholders(sample, shape);
    const at = row * length;
    text.ids.set(sample.ids, at);
    text.labels.set(sample.labels, at);
    text.positions.set(positionsOf(sample), at);
    text.segments.set(sample.segments ?? new Int32Array(sample.ids.length), at);
  });
  const images = samples.flatMap((s) => s.images);
  return {
    samples: samples.length,
    length,
    ...text,
    weights: Float32Array.from(samples, (s) => s.weight ?? 1),
    tiles: images.reduce((n, i) => n + i.tiles, 0),
    ...stackImages(images),
  };
}

function stackImages(
  all: readonly (ImageInput | EncodedImage)[],
): Pick<Batch, 'pixels' | 'positionIds' | 'patchMask' | 'features'> {
  const encoded = all.flatMap((image) => ('features' in image ? [image] : []));
  const images = all.flatMap((image) => ('features' in image ? [] : [image]));
  if (encoded.length > 0 && images.length > 0) {
    throw new TensorflowError(
      `${images.length} images of a batch are pixels and ${encoded.length} features; encode all`,
    );
  }
  const patches = images[0] ? images[0].positionIds.length / images[0].tiles : 0;
  return {
    pixels: join(
      Float32Array,
      images.map((i) => i.pixels),
    ),
    positionIds: join(
      Int32Array,
      images.map((i) => i.positionIds),
    ),
    patchMask: images.some((i) => i.patchMask)
      ? join(
          Uint8Array,
          images.map((i) => i.patchMask ?? new Uint8Array(i.tiles * patches).fill(1)),
        )
      : undefined,
    features:
      encoded.length > 0
        ? join(
            Float32Array,
            encoded.map((i) => i.features),
          )
        : undefined,
  };
}

function checkPlaceholders({ ids, images }: TrainingSample<ImageInput | EncodedImage>, shape: ModelShape): void {
  const placeholders = ids.reduce((n, id) => n + (id === shape.imageTokenId ? 1 : 0), 0);
  const tiles = images.reduce((n, i) => n + i.tiles, 0);
  const tokens = tiles * shape.tokensPerTile;
  if (placeholders !== tokens) {
    throw new TensorflowError(`a sample has ${placeholders} image placeholders but its images make ${tokens} tokens`);
  }
}

function positionsOf({ ids, segments }: Pick<TrainingSample, 'ids' | 'segments'>): Int32Array {
  if (!segments) return Int32Array.from(ids, (_, i) => i);
  const next = new Map<number, number>();
  const shared = segments.reduce((n, s) => n + (s === 0 ? 1 : 0), 0);
  return Int32Array.from(segments, (segment) => {
    const position = next.get(segment) ?? (segment === 0 ? 0 : shared);
    next.set(segment, position + 1);
    return position;
  });
}

type Numbers = Float32Array | Int32Array | Uint8Array;

function join<A extends Numbers>(type: new (length: number) => A, parts: readonly A[]): A {
  const joined = new type(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
