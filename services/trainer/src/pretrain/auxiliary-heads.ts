import { pickLogProbabilities, tf } from '@mpa/tensorflow';
import type { Parameters, Tensor } from '@mpa/tensorflow';
import type { Weights } from '@mpa/vlm';
import { CHARACTERS, ITEMS, PLACES, SLOTS } from './glyph-labels.js';
import type { GlyphLabels } from './glyph-labels.js';

const NAME = 'auxiliary.glyphs.weight';
const CLASSES = CHARACTERS + PLACES + ITEMS;
/** Empty half patches are many and easy: they count this much. */
const EMPTY_WEIGHT = 0.05;

/**
 * Linear heads on the vision tower that say which character is at each half patch, its place in its text, and which text:
 * known, since we draw it. They teach the tower to read before answers can, and are thrown away at the end.
 */
export function auxiliaryHeads(width: number, normal: () => number): Weights {
  return {
    names: [NAME],
    shape: () => [SLOTS * CLASSES, width],
    dtype: () => 'F32',
    read: () => Float32Array.from({ length: SLOTS * CLASSES * width }, () => normal() / Math.sqrt(width)),
  };
}

/** The labels of a batch as one flat array per kind, with the weight of every half patch. */
export interface AuxiliaryTargets {
  readonly characters: Int32Array;
  readonly places: Int32Array;
  readonly items: Int32Array;
  readonly weights: Float32Array;
}

/** Joins the labels of a batch's images. */
export function auxiliaryTargets(labels: readonly GlyphLabels[]): AuxiliaryTargets {
  const join = (kind: keyof GlyphLabels): Int32Array => Int32Array.from(labels.flatMap((l) => [...l[kind]]));
  const characters = join('characters');
  return {
    characters,
    places: join('places'),
    items: join('items'),
    weights: Float32Array.from(characters, (c) => (c === 0 ? EMPTY_WEIGHT : 1)),
  };
}

/** Logits of the three heads, [half patches, classes] each. */
function headLogits(parameters: Parameters, patches: Tensor): [Tensor, Tensor, Tensor] {
  const rows = patches.reshape([-1, patches.shape[2]!]);
  const logits = tf.matMul(rows, parameters.get(NAME), false, true).reshape([-1, CLASSES]);
  return tf.split(logits, [CHARACTERS, PLACES, ITEMS], 1) as [Tensor, Tensor, Tensor];
}

/** Logits [half patches, characters] of the vision tower's output [N, P, D]. */
export function characterLogits(parameters: Parameters, patches: Tensor): Tensor {
  return headLogits(parameters, patches)[0];
}

/** Weighted mean cross-entropy [scalar] of the three heads on the vision tower's output [N, P, D]. */
export function auxiliaryLoss(parameters: Parameters, patches: Tensor, targets: AuxiliaryTargets): Tensor {
  const [characters, places, items] = headLogits(parameters, patches);
  const picked = pickLogProbabilities(characters, targets.characters)
    .add(pickLogProbabilities(places, targets.places))
    .add(pickLogProbabilities(items, targets.items));
  const total = targets.weights.reduce((sum, w) => sum + w, 0);
  return picked.mul(tf.tensor1d(targets.weights)).sum().neg().div(total);
}
