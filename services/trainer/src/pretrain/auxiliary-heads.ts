import { crossEntropy, pickLogProbabilities, tf } from '@mpa/tensorflow';
import type { Parameters, Tensor } from '@mpa/tensorflow';
import type { Weights } from '@mpa/vlm';
import { CHARACTERS, COLOURS, ITEMS, OBJECTS, PLACES, SLOTS } from './dense-labels.js';
import type { DenseLabels } from './dense-labels.js';

const GLYPHS = 'auxiliary.glyphs.weight';
const THINGS = 'auxiliary.objects.weight';
const COLOUR_NAMES = 'auxiliary.colours.weight';
const CLASSES = CHARACTERS + PLACES + ITEMS;
/** Empty patches are many and easy: they count this much. */
const EMPTY_WEIGHT = 0.05;
/** An object covers many patches, a character few. */
const OBJECT_WEIGHT = 0.25;

const ROWS: ReadonlyMap<string, number> = new Map([
  [GLYPHS, SLOTS * CLASSES],
  [THINGS, OBJECTS],
  [COLOUR_NAMES, COLOURS],
]);

/**
 * Linear heads on the vision tower that say which character is at each half patch, its place in its text, and which text, and which
 * object and colour is at each patch: known, since we draw it. They teach the tower to see before answers can, and are thrown away at the end.
 */
export function auxiliaryHeads(width: number, normal: () => number): Weights {
  return {
    names: [...ROWS.keys()],
    shape: (name) => [ROWS.get(name)!, width],
    dtype: () => 'F32',
    read: (name) => Float32Array.from({ length: ROWS.get(name)! * width }, () => normal() / Math.sqrt(width)),
  };
}

/** The labels of a batch as one flat array per kind, with the weight of every half patch and patch. */
export interface AuxiliaryTargets {
  readonly characters: Int32Array;
  readonly places: Int32Array;
  readonly items: Int32Array;
  readonly weights: Float32Array;
  readonly objects: Int32Array;
  readonly objectWeights: Float32Array;
  readonly colours: Int32Array;
}

/** Joins the labels of a batch's images. */
export function auxiliaryTargets(labels: readonly DenseLabels[]): AuxiliaryTargets {
  const join = (kind: keyof DenseLabels): Int32Array => Int32Array.from(labels.flatMap((l) => [...l[kind]]));
  const characters = join('characters');
  const objects = join('objects');
  return {
    characters,
    places: join('places'),
    items: join('items'),
    weights: Float32Array.from(characters, (c) => (c === 0 ? EMPTY_WEIGHT : 1)),
    objects,
    objectWeights: Float32Array.from(objects, (o) => (o === 0 ? EMPTY_WEIGHT : OBJECT_WEIGHT)),
    colours: join('colours'),
  };
}

/** Logits of the three heads of characters, [half patches, classes] each. */
function glyphLogits(parameters: Parameters, patches: Tensor): [Tensor, Tensor, Tensor] {
  const logits = tf.matMul(flat(patches), parameters.get(GLYPHS), false, true).reshape([-1, CLASSES]);
  return tf.split(logits, [CHARACTERS, PLACES, ITEMS], 1) as [Tensor, Tensor, Tensor];
}

/** Logits [half patches, characters] of the vision tower's output [N, P, D]. */
export function characterLogits(parameters: Parameters, patches: Tensor): Tensor {
  return glyphLogits(parameters, patches)[0];
}

const flat = (patches: Tensor): Tensor => patches.reshape([-1, patches.shape[2]!]);

/** Weighted mean cross-entropy [scalar] of the heads on the vision tower's output [N, P, D], summed over the heads. */
export function auxiliaryLoss(parameters: Parameters, patches: Tensor, targets: AuxiliaryTargets): Tensor {
  const [characters, places, items] = glyphLogits(parameters, patches);
  const picked = pickLogProbabilities(characters, targets.characters)
    .add(pickLogProbabilities(places, targets.places))
    .add(pickLogProbabilities(items, targets.items));
  const said = (head: string, truth: Int32Array): Tensor =>
    pickLogProbabilities(tf.matMul(flat(patches), parameters.get(head), false, true), truth);
  return crossEntropy(picked, targets.weights)
    .add(crossEntropy(said(THINGS, targets.objects), targets.objectWeights))
    .add(said(COLOUR_NAMES, targets.colours).mean().neg());
}
