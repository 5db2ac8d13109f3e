import { mapInputs } from '@mpa/vlm';
import type { ModelShape, PlainTensor, VisionInputs } from '@mpa/vlm';
import type { Batch } from './batch.js';
import { IGNORED } from './batch.js';
import { HIDDEN } from './layers/attention.js';
import { rotaryTable } from './layers/rotary.js';
import type { TextLayout, VisionLayout } from './layers/tensor-layers.js';
import { windowsOf } from './layers/windows.js';
import { tf } from './tf.js';
import type { Tensor } from './tf.js';

/** A batch on the backend; freed with {@link disposeLayout}. */
export interface BatchLayout {
  /** [B, T] int32 */
  readonly ids: Tensor;
  readonly text: TextLayout;
  /** Images as stacks of views; none when their features are known. */
  readonly vision: readonly VisionLayout[];
  /** [image tokens, hidden] of images whose features are known. */
  readonly features: Tensor | undefined;
  readonly targets: Targets;
}

/** The labelled tokens of a batch, row by row [n]. */
export interface Targets {
  /** Which row (b * T + t) of the hidden states predicts each. */
  readonly rows: Int32Array;
  readonly tokens: Int32Array;
  /** Those of the tokens' samples. */
  readonly weights: Float32Array;
  /** Where each stands itself (b * T + t), and in which segment of its sequence. */
  readonly positions: Int32Array;
  readonly segments: Int32Array;
}

/** Moves a batch to the backend: masks, rotations and the places of image features are worked out here. */
export function layOut(batch: Batch, shape: ModelShape): BatchLayout {
  const { samples: rows, length, vision, features } = batch;
  return {
    ids: tf.tensor2d(batch.ids, [rows, length], 'int32'),
    text: {
      rotary: rotaryTable({ data: batch.positions, shape: [rows, length] }, shape.textRotary),
      mask: causalMask(batch),
      placement: vision.length > 0 || features ? placementOf(batch, shape) : undefined,
    },
    vision: vision.map((inputs) => layOutViews(inputs, shape)),
    features: features && tf.tensor2d(features, [features.length / shape.hiddenSize, shape.hiddenSize]),
    targets: targetsOf(batch),
  };
}

/** Moves views of one size to the backend, with their rotations and windows. */
export function layOutViews(views: VisionInputs<PlainTensor>, { visionRotary }: ModelShape): VisionLayout {
  const { positionIds, windows } = views;
  const [count, patches] = positionIds.shape as [number, number];
  return {
    inputs: mapInputs(views, ({ data, shape }) => tf.tensor(data, [...shape], data instanceof Float32Array ? 'float32' : 'int32')), // prettier-ignore
    rotary: visionRotary && rotaryTable({ data: positionIds.data, shape: [count, patches] }, visionRotary),
    windows: windows && windowsOf(windows, patches),
  };
}

/** Frees a layout's tensors. */
export function disposeLayout({ ids, text, vision, features }: BatchLayout): void {
  tf.dispose({ ids, text, vision, features } as unknown as Parameters<typeof tf.dispose>[0]);
}

/** [B, 1, T, T]: a token sees those before it in the shared segment and in its own. */
function causalMask({ samples, length, segments }: Batch): Tensor {
  const mask = new Float32Array(samples * length * length);
  for (let b = 0; b < samples; b++) {
    for (let q = 0; q < length; q++) {
      const own = segments[b * length + q]!;
      const at = (b * length + q) * length;
      mask.fill(HIDDEN, at + q + 1, at + length);
      for (let k = 0; k < q; k++) {
        const seen = segments[b * length + k]!;
        if (seen !== own && seen !== 0) mask[at + k] = HIDDEN;
      }
    }
  }
  return tf.tensor4d(mask, [samples, 1, length, length]);
}

function placementOf({ ids }: Batch, shape: ModelShape): NonNullable<TextLayout['placement']> {
  const taken: number[] = [];
  const source = Int32Array.from(ids, (id, i) => (id === shape.imageTokenId ? ids.length + taken.push(i) - 1 : i));
  const kept = Float32Array.from(ids, (id) => (id === shape.imageTokenId ? 0 : 1));
  return {
    source: tf.tensor1d(source, 'int32'),
    taken: tf.tensor1d(taken, 'int32'),
    kept: tf.tensor2d(kept, [ids.length, 1]),
  };
}

/**
 * A labelled token is predicted by the token before it in its own segment, or by the last shared token if it opens a segment.
 */
function targetsOf({ samples, length, labels, segments, weights }: Batch): Targets {
  const rows: number[] = [];
  const positions: number[] = [];
  for (let b = 0; b < samples; b++) {
    const last = new Map<number, number>();
    for (let t = 0; t < length; t++) {
      const at = b * length + t;
      const segment = segments[at]!;
      const before = last.get(segment) ?? last.get(0);
      if (labels[at] !== IGNORED && before !== undefined) {
        rows.push(before);
        positions.push(at);
      }
      last.set(segment, at);
    }
  }
  return {
    rows: Int32Array.from(rows),
    tokens: Int32Array.from(positions, (at) => labels[at]!),
    weights: Float32Array.from(positions, (at) => weights[Math.floor(at / length)]!),
    positions: Int32Array.from(positions),
    segments: Int32Array.from(positions, (at) => segments[at]!),
  };
}
