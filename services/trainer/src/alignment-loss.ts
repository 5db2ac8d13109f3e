import { ATTENTION_LAYERS } from '@mpa/alignment';
import { crossEntropy, tf } from '@mpa/tensorflow';
import type { BatchLayout, Targets, Tensor, TensorModel } from '@mpa/tensorflow';
import type { AttentionAim } from './aligned-sample.js';
import type { Aim } from './aligned-sample.js';

/** The terms of the loss, by what they compare. */
export const termNames = ['answer', 'confidence', 'attention', 'reasoning'] as const;

/** One of {@link termNames}. */
export type TermName = (typeof termNames)[number];

/** How much each term counts; one that counts 0 is not computed. The answer's cross-entropy counts 1. */
export type Coefficients = Readonly<Record<Exclude<TermName, 'answer'>, number>>;

/** One term on one batch: its weighted mean is a scalar tensor. */
export interface LossTerm {
  readonly name: TermName;
  /** Sum of the weights that the mean was taken over: says how to join the means of several batches. */
  readonly weight: number;
  /** Questions that had the signal. */
  readonly questions: number;
  readonly value: () => Tensor;
}

/** A batch's plain arrays and what its turns are for. */
export interface AlignedBatch {
  readonly layout: BatchLayout;
  /** Tokens of a padded sequence. */
  readonly length: number;
  /** Aims of each sample's turns. */
  readonly aims: readonly (readonly Aim[])[];
  /** Weight of each sample. */
  readonly weights: Float32Array;
}

/** What the forward pass gives the terms. */
interface Forward {
  /** [targets] */
  readonly logProbabilities: Tensor;
  /** Mean attention over heads and the last layers [B, T, T]; there when a term asks for it. */
  readonly attention: Tensor | undefined;
}

/**
 * The discrepancy-aware loss: cross-entropy of the L-VLM's answer; KL of the L-VLM's distribution over its n-best answers
 * to the S-VLM's, both by log-probability per character; Jensen-Shannon divergence of the attention maps over the image, divided by ln 2; cross-entropy of the rationale's
 * steps, weighted by their gaps. Each is differentiable in the S-VLM's parameters. A term that no sample of the batch has a
 * signal for is absent. Without other terms than the answer's this is the plain training step, bit for bit.
 */
export function lossTerms<C>(model: TensorModel<C>, batch: AlignedBatch, coefficients: Coefficients): LossTerm[] {
  const { layout } = batch;
  const turns = turnsOf(batch);
  const attended = coefficients.attention > 0 ? attendedTurns(turns, batch) : [];
  let made: Forward | undefined;
  const forward = (): Forward => (made ??= run(model, layout, attended.length > 0));
  return [
    answerTerm(turns, layout.targets, forward),
    ...(coefficients.confidence > 0 ? confidenceTerm(turns, batch, forward) : []),
    ...(attended.length > 0 ? [attentionTerm(attended, batch, forward)] : []),
    ...(coefficients.reasoning > 0 ? reasoningTerm(turns, batch, forward) : []),
  ];
}

function run<C>(model: TensorModel<C>, layout: BatchLayout, attends: boolean): Forward {
  const features = model.imageFeatures(layout);
  const first = model.shape.textLayers - Math.min(ATTENTION_LAYERS, model.shape.textLayers);
  const maps: Tensor[] = [];
  const record = (layer: number, probabilities: Tensor): void => {
    if (layer >= first) maps.push(probabilities.mean(1));
  };
  const hidden = model.hidden(layout, features, attends ? record : undefined);
  return {
    logProbabilities: model.targetLogProbabilities(layout, hidden),
    attention: attends ? tf.addN(maps).div(maps.length) : undefined,
  };
}

/** A turn of a sample and the places of its labelled tokens among the batch's targets. */
interface Turn {
  readonly sample: number;
  readonly aim: Aim;
  readonly targets: readonly number[];
}

function turnsOf({ layout: { targets }, length, aims }: AlignedBatch): Turn[] {
  const places = aims.map((ofSample) => ofSample.map((): number[] => []));
  targets.positions.forEach((position, i) => {
    const turn = Math.max(0, targets.segments[i]! - 1);
    places[Math.floor(position / length)]![turn]!.push(i);
  });
  return aims.flatMap((ofSample, sample) =>
    ofSample.map((aim, turn) => ({ sample, aim, targets: places[sample]![turn]! })),
  );
}

function answerTerm(turns: readonly Turn[], { weights }: Targets, forward: () => Forward): LossTerm {
  const answers = turns.filter(({ aim }) => aim.kind === 'answer');
  const counted = new Float32Array(weights.length);
  for (const { targets } of answers) for (const i of targets) counted[i] = weights[i]!;
  return {
    name: 'answer',
    weight: counted.reduce((sum, w) => sum + w, 0),
    questions: answers.length,
    value: () => crossEntropy(forward().logProbabilities, counted),
  };
}

/**
 * KL(L-VLM || S-VLM) over the n-best answers of each question, nats. By log-probabilities per character: by those of whole answers the
 * gradient grows with their length and drowns the answer's own (docs/results.md).
 */
function confidenceTerm(turns: readonly Turn[], { weights }: AlignedBatch, forward: () => Forward): LossTerm[] {
  const questions = new Map<string, (Turn & { probability: number; characters: number })[]>();
  for (const turn of turns) {
    if (turn.aim.kind !== 'ranked') continue;
    const key = `${turn.sample} ${turn.aim.question}`;
    questions.set(key, [
      ...(questions.get(key) ?? []),
      { ...turn, probability: turn.aim.probability, characters: turn.aim.characters },
    ]);
  }
  const all = [...questions.values()];
  if (all.length === 0) return [];
  const most = Math.max(...all.map((ranked) => ranked.length));
  const own = all.map((ranked) => weights[ranked[0]!.sample]!);
  const weight = own.reduce((a, b) => a + b, 0);
  return [
    {
      name: 'confidence',
      weight,
      questions: all.length,
      value: () => {
        const { logProbabilities } = forward();
        const slots = all.flatMap((ranked) => Array.from({ length: most }, (_, k) => ranked[k]?.targets ?? []));
        const characters = all.flatMap((r) => Array.from({ length: most }, (_, k) => r[k]?.characters ?? 1));
        const sums = sumsOver(logProbabilities, slots).reshape([all.length, most]);
        const scores = sums.div(tf.tensor2d(characters, [all.length, most]));
        const absent = all.flatMap((ranked) => Array.from({ length: most }, (_, k) => (k < ranked.length ? 0 : -1e9)));
        const logStudent = tf.logSoftmax(scores.add(tf.tensor2d(absent, [all.length, most])));
        const teacher = all.flatMap((r) => Array.from({ length: most }, (_, k) => r[k]?.probability ?? 0));
        const negativeEntropy = all.map((r) =>
          r.reduce((sum, { probability: p }) => sum + (p > 0 ? p * Math.log(p) : 0), 0),
        );
        const cross = tf.tensor2d(teacher, [all.length, most]).mul(logStudent).sum(1);
        return weightedMean(tf.tensor1d(negativeEntropy).sub(cross), own);
      },
    },
  ];
}

interface AttendedTurn extends Turn {
  readonly attention: AttentionAim;
}

function attendedTurns(turns: readonly Turn[], { layout }: AlignedBatch): AttendedTurn[] {
  if (!layout.text.placement) return [];
  return turns.flatMap((turn) =>
    turn.aim.kind === 'answer' && turn.aim.attention ? [{ ...turn, attention: turn.aim.attention }] : [],
  );
}

/** Jensen-Shannon divergence / ln 2 of the two models' attention over the image, the S-VLM's live. */
function attentionTerm(
  attended: readonly AttendedTurn[],
  { layout, length, weights }: AlignedBatch,
  forward: () => Forward,
): LossTerm {
  const own = attended.map(({ sample }) => weights[sample]!);
  return {
    name: 'attention',
    weight: own.reduce((a, b) => a + b, 0),
    questions: attended.length,
    value: () => {
      const rows = forward().attention!.reshape([-1, length]); // [B * T, T]
      const positions = attended.map(({ targets }) => targets.map((i) => layout.targets.positions[i]!));
      const fromAnswer = sumsOver(rows, positions).reshape([attended.length, 1, length]);
      const cells = attended[0]!.attention.cells.length;
      const onCells = tf.matMul(fromAnswer, cellShares(attended, layout, length)).reshape([attended.length, cells]);
      const student = onCells.div(onCells.sum(1, true));
      const teacher = tf.tensor2d(attended.flatMap(({ attention }) => [...attention.cells]), [attended.length, cells]); // prettier-ignore
      const middle = logOf(student.add(teacher).div(2));
      const apart = (p: Tensor): Tensor => p.mul(logOf(p).sub(middle)).sum(1);
      return weightedMean(
        apart(student)
          .add(apart(teacher))
          .div(2 * Math.LN2),
        own,
      );
    },
  };
}

/** For each attended turn, the share of every token of its sequence in every cell: 0 for tokens of text. [n, T, cells] */
function cellShares(attended: readonly AttendedTurn[], layout: BatchLayout, length: number): Tensor {
  const taken = layout.text.placement!.taken.dataSync<'int32'>();
  const cells = attended[0]!.attention.cells.length;
  const shares = new Float32Array(attended.length * length * cells);
  attended.forEach(({ sample, attention }, i) => {
    const columns = taken.filter((at) => Math.floor(at / length) === sample).map((at) => at % length);
    columns.forEach((column, token) => {
      shares.set(attention.shares.subarray(token * cells, (token + 1) * cells), (i * length + column) * cells);
    });
  });
  return tf.tensor3d(shares, [attended.length, length, cells]);
}

/** Cross-entropy of the rationale's tokens, weighted by the gaps of their steps. */
function reasoningTerm(turns: readonly Turn[], { layout, weights }: AlignedBatch, forward: () => Forward): LossTerm[] {
  const counted = new Float32Array(layout.targets.tokens.length);
  let questions = 0;
  for (const { aim, sample, targets } of turns) {
    if (aim.kind !== 'rationale' || !aim.weights.some((w) => w > 0)) continue;
    questions++;
    targets.forEach((target, i) => (counted[target] = aim.weights[i]! * weights[sample]!));
  }
  const weight = counted.reduce((a, b) => a + b, 0);
  if (weight === 0) return [];
  return [{ name: 'reasoning', weight, questions, value: () => crossEntropy(forward().logProbabilities, counted) }];
}

/** Sums of the rows of `x` [n] or [n, d] at the given places: [groups] or [groups, d]. */
function sumsOver(x: Tensor, groups: readonly (readonly number[])[]): Tensor {
  const [rows = 0] = x.shape;
  const member = new Float32Array(groups.length * rows);
  groups.forEach((places, group) => places.forEach((place) => (member[group * rows + place] = 1)));
  return tf.matMul(tf.tensor2d(member, [groups.length, rows]), x.reshape([rows, -1]));
}

function weightedMean(values: Tensor, weights: readonly number[]): Tensor {
  return values.mul(tf.tensor1d([...weights])).sum().div(weights.reduce((a, b) => a + b, 0)); // prettier-ignore
}

/** Natural logarithm; of numbers below 1e-12 that of 1e-12, whose product with the number is nothing in float32. */
const logOf = (x: Tensor): Tensor => x.maximum(1e-12).log();
