import { appendFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { TASKS } from '@mpa/benchmarks';
import type { Task } from '@mpa/benchmarks';
import {
  collate,
  crossEntropy,
  disposeLayout,
  globalNorm,
  layOut,
  lossAndGradients,
  Muon,
  Parameters,
  scaleGradients,
  TensorModel,
  tf,
} from '@mpa/tensorflow';
import type { BatchLayout, Optimizer, Tensor, Trainable } from '@mpa/tensorflow';
import { describeCheckpoint, saveCheckpoint, smolVlm } from '@mpa/vlm';
import type { Weights } from '@mpa/vlm';
import { learningRate } from '../learning-rate.js';
import { loadTrainingState, saveTrainingState } from '../training-state.js';
import { seededRandom } from '../random.js';
import { auxiliaryHeads, auxiliaryLoss, auxiliaryTargets, characterLogits } from './auxiliary-heads.js';
import type { AuxiliaryTargets } from './auxiliary-heads.js';
import { DrawingPool } from './drawing-pool.js';
import type { DrawnExample } from './drawn-example.js';
import { firstWeights } from './first-weights.js';
import { writeStarterFiles } from './starter-checkpoint.js';
import type { StarterSize } from './starter-config.js';
import { starterWords } from './starter-words.js';

/**
 * A part of the pretraining with a learning rate schedule of its own.
 * - `seeing`: the vision tower learns alone, from the dense labels of pages full of words and of scenes.
 * - `answering`: connector and decoder learn to answer, annotate and transcribe, the tower goes on as before: what the untrained
 *   decoder would have it change does not reach it.
 * - `together`: everything learns by both losses.
 */
export interface Phase {
  readonly learns: 'seeing' | 'answering' | 'together';
  readonly steps: number;
  /** Share of pages; the rest are scenes: of pages only, the tower would not find words elsewhere. */
  readonly pages: number;
  /** Peak of the learning rate: a warm-up, then a cosine. */
  readonly rate: number;
  /** What the cosine ends with, as a share of the peak. */
  readonly end: number;
  /** How often a scene is each task's, in proportion. */
  readonly mix: Readonly<Record<Task, number>>;
}

/** How a starter model is pretrained. */
export interface PretrainOptions {
  readonly size: StarterSize;
  /** Folder of the checkpoint; training state lies in `state/` under it and is picked up again. */
  readonly out: string;
  readonly phases: readonly Phase[];
  /** Images per step. */
  readonly batch: number;
  /** Different images of each kind; they come back, and other questions are asked about them. */
  readonly images: number;
  readonly seed: number;
  /** Steps of each phase's warm-up. */
  readonly warmup: number;
  /** Drawing threads beside the training. */
  readonly drawers: number;
  /** Questions of the training scenes that are never asked: a regular expression, any case. */
  readonly unasked?: string;
  /** Steps between held-out checks and saved states. */
  readonly every: number;
  readonly onProgress: (progress: PretrainProgress) => void;
  readonly signal?: AbortSignal;
}

/** One line of the training curve. */
export interface PretrainProgress {
  readonly phase: Phase['learns'];
  /** Steps of all phases so far. */
  readonly step: number;
  /** Nats per answer token; 0 while seeing. */
  readonly loss: number;
  /** Of the dense labels, in nats per patch. */
  readonly auxiliaryLoss: number;
  readonly gradientNorm: number;
  readonly imagesPerSecond: number;
  /** Share of held-out questions answered exactly, per task, at checks only. */
  readonly accuracy?: Readonly<Record<string, number>>;
  /** Share of held-out half patches with a character whose character is told right, at checks only. */
  readonly characters?: number;
}

/** `mpa world` draws the images below this number; pretraining those from it on. */
const FIRST_IMAGE = 2 ** 31;
const MAX_NORM = 1;
const CHECKED_IMAGES = 100;
/** Questions about a training scene. */
const QUESTIONS = 4;
/** Chance that a training scene is also annotated, and that it is transcribed. */
const MORE = 0.5;
/** Made orthogonal by the optimizer; tables, norms, biases and heads are AdamW's. */
const MATRICES = /\.((q|k|v|o|out|gate|up|down)_proj|fc1|fc2|modality_projection\.proj)\.weight$/;

/** Which parameters learn in a phase. */
const LEARNING: Readonly<Record<Phase['learns'], Trainable>> = {
  seeing: { kind: 'named', pattern: /^(model\.vision_model|auxiliary)\./ },
  answering: { kind: 'full' },
  together: { kind: 'full' },
};

/**
 * Pretrains a starter model on the drawn world, training split, with labels: answers, a transcription and the
 * character at each patch. The alignment that comes later sees none of them. Held-out checks draw from the test
 * split, whose words and images training never draws. Resumes from the last saved state.
 */
export async function pretrain(options: PretrainOptions): Promise<void> {
  await mkdir(options.out, { recursive: true });
  const config = await writeStarterFiles(options.out, options.size, await starterWords());
  const random = seededRandom(options.seed);
  const first = overlay(firstWeights(config, random.normal), auxiliaryHeads(options.size.vision.width, random.normal));
  let weights = inMemory(first.names, first);
  const pool = new DrawingPool(options.out, options.drawers);
  try {
    let before = 0;
    for (const [index, phase] of options.phases.entries()) {
      if (options.signal?.aborted) break;
      const state = join(options.out, 'state', `${index + 1}-${phase.learns}`);
      const resumed = await loadTrainingState(state);
      if (resumed) weights = inMemory(weights.names, overlay(weights, resumed.weights));
      if (resumed?.optimizer.steps === phase.steps) {
        resumed.close();
        before += phase.steps;
        continue;
      }
      const parameters = new Parameters(weights, LEARNING[phase.learns], random.uniform);
      const optimizer = new Muon(parameters, { matrices: MATRICES, betas: [0.9, 0.98], weightDecay: 0.05 });
      if (resumed) optimizer.restore(resumed.optimizer);
      resumed?.close();
      try {
        const model = new TensorModel(smolVlm, smolVlm.readConfig(config), parameters);
        await run({ ...options, phase, before, state }, model, optimizer, pool);
        weights = inMemory(weights.names, {
          shape: (name) => parameters.get(name).shape,
          dtype: () => 'F32',
          read: (name) => parameters.read(name),
        });
      } finally {
        optimizer.dispose();
        parameters.dispose();
      }
      before += phase.steps;
    }
  } finally {
    await pool.close();
  }
}

/** All weights of both, those that both have from the second. */
function overlay(below: Weights, above: Weights): Weights {
  const over = new Set(above.names);
  const of = (name: string): Weights => (over.has(name) ? above : below);
  return {
    names: [...new Set([...below.names, ...above.names])],
    shape: (name) => of(name).shape(name),
    dtype: (name) => of(name).dtype(name),
    read: (name) => of(name).read(name),
  };
}

/** A copy of named weights that stays as it is. */
function inMemory(names: readonly string[], source: Omit<Weights, 'names'>): Weights {
  const copies = new Map(
    names.map((name) => [name, { values: source.read(name), shape: source.shape(name), dtype: source.dtype(name) }]),
  );
  return {
    names,
    shape: (name) => copies.get(name)!.shape,
    dtype: (name) => copies.get(name)!.dtype,
    read: (name) => copies.get(name)!.values,
  };
}

/** What a phase works with. */
interface PhaseOptions extends PretrainOptions {
  readonly phase: Phase;
  /** Steps of the phases before this one. */
  readonly before: number;
  /** Folder of this phase's training state. */
  readonly state: string;
}

type StarterModel = TensorModel<ReturnType<typeof smolVlm.readConfig>>;

async function run(options: PhaseOptions, model: StarterModel, optimizer: Optimizer, pool: DrawingPool): Promise<void> {
  const { phase, before, batch } = options;
  if (optimizer.steps >= phase.steps) return;
  const total = options.phases.reduce((sum, { steps }) => sum + steps, 0);
  const ahead = [0, 1, 2].map((i) => drawBatch(options, pool, optimizer.steps + i));
  let started = performance.now();
  while (optimizer.steps < phase.steps && !options.signal?.aborted) {
    const examples = await ahead.shift()!;
    ahead.push(drawBatch(options, pool, optimizer.steps + 3));
    const result = trainStep(options, model, optimizer, examples);
    const now = performance.now();
    const progress = {
      phase: phase.learns,
      step: before + optimizer.steps,
      ...result,
      imagesPerSecond: (batch * 1000) / (now - started),
    };
    started = now;
    const due = optimizer.steps % options.every === 0 || progress.step === total;
    const line = due ? { ...progress, ...(await check(options, model, pool)) } : progress;
    options.onProgress(line);
    if (due || optimizer.steps % 20 === 0) {
      await appendFile(join(options.out, 'curve.jsonl'), `${JSON.stringify(line)}\n`);
    }
    if (due) await save(options, model, optimizer);
  }
  await Promise.all(ahead);
  await save(options, model, optimizer);
}

function trainStep(
  { phase, warmup }: PhaseOptions,
  model: StarterModel,
  optimizer: Optimizer,
  examples: readonly DrawnExample[],
): Pick<PretrainProgress, 'loss' | 'auxiliaryLoss' | 'gradientNorm'> {
  const batch = collate(
    examples.map((e) => e.sample),
    model.shape,
  );
  const layout = layOut(batch, model.shape);
  const targets = auxiliaryTargets(examples.map((e) => e.labels));
  const parts: number[] = [];
  const { value, gradients } = lossAndGradients(model.parameters, () => {
    const { answers, glyphs } = losses(model, layout, targets, phase.learns);
    parts.push(answers.dataSync()[0]!, glyphs.dataSync()[0]!);
    return answers.add(glyphs).asScalar();
  });
  const [loss, auxiliaryLoss] = parts as [number, number];
  const gradientNorm = globalNorm(gradients);
  if (gradientNorm > MAX_NORM) scaleGradients(gradients, MAX_NORM / gradientNorm);
  optimizer.step(gradients, learningRate(optimizer.steps, { ...phase, warmup }));
  tf.dispose([value, ...gradients.values()]);
  disposeLayout(layout);
  return { loss, auxiliaryLoss, gradientNorm };
}

function losses(
  model: StarterModel,
  layout: BatchLayout,
  targets: AuxiliaryTargets,
  learns: Phase['learns'],
): { answers: Tensor; glyphs: Tensor } {
  let patches: Tensor | undefined;
  const features = model.imageFeatures(layout, {
    recordPatches: (x) => (patches = x),
    frozenTower: learns === 'answering',
  });
  const glyphs = auxiliaryLoss(model.parameters, patches!, targets);
  if (learns === 'seeing') return { answers: tf.scalar(0), glyphs };
  const hidden = model.hidden(layout, features);
  return { answers: crossEntropy(model.targetLogProbabilities(layout, hidden), layout.targets.weights), glyphs };
}

function drawBatch(
  { phase, before, batch, images, unasked, seed: run }: PhaseOptions,
  pool: DrawingPool,
  step: number,
): Promise<DrawnExample[]> {
  const { mix } = phase;
  const total = TASKS.reduce((sum, task) => sum + mix[task], 0);
  return Promise.all(
    Array.from({ length: batch }, (_, i) => {
      const seed = (run * 10_000_000 + (before + step) * batch + i) % 2 ** 32;
      const { uniform } = seededRandom(seed);
      let left = uniform() * total;
      const task = TASKS.find((candidate) => (left -= mix[candidate]) < 0) ?? 'textvqa';
      const scene = uniform() < phase.pages ? 'page' : task;
      const image = { scene, split: 'train', seed: FIRST_IMAGE + Math.floor(uniform() * images) } as const;
      return pool.draw({ image, asking: { seed, questions: QUESTIONS, unasked, more: MORE } });
    }),
  );
}

async function check(
  options: PretrainOptions,
  model: StarterModel,
  pool: DrawingPool,
): Promise<Required<Pick<PretrainProgress, 'accuracy' | 'characters'>>> {
  const accuracy: Record<string, number> = {};
  const characters = { right: 0, all: 0 };
  for (const task of TASKS) {
    let right = 0;
    for (let from = 0; from < CHECKED_IMAGES; from += options.batch) {
      const drawn = Array.from({ length: Math.min(options.batch, CHECKED_IMAGES - from) }, (_, i) =>
        pool.draw({
          image: { scene: task, split: 'test', seed: from + i },
          asking: { seed: from + i, questions: 1, more: 0 },
        }),
      );
      right += countRight(model, await Promise.all(drawn), characters);
    }
    accuracy[task] = right / CHECKED_IMAGES;
  }
  return { accuracy, characters: characters.right / Math.max(1, characters.all) };
}

/**
 * Questions whose every answer token is the likeliest given the right ones before it: just when greedy decoding
 * gives the answer exactly. Adds to `characters` what the auxiliary head reads.
 */
function countRight(
  model: StarterModel,
  examples: readonly DrawnExample[],
  characters: { right: number; all: number },
): number {
  const batch = collate(
    examples.map((e) => e.sample),
    model.shape,
  );
  const layout = layOut(batch, model.shape);
  const read = tf.tidy(() => {
    let patches: Tensor | undefined;
    const hidden = model.hidden(layout, model.imageFeatures(layout, { recordPatches: (x) => (patches = x) }));
    const logits = model.head(hidden.gather(tf.tensor1d(layout.targets.rows, 'int32')));
    return {
      tokens: logits.argMax(-1).dataSync(),
      characters: characterLogits(model.parameters, patches!).argMax(-1).dataSync(),
    };
  });
  disposeLayout(layout);
  const drawn = auxiliaryTargets(examples.map((e) => e.labels)).characters;
  drawn.forEach((character, i) => {
    if (character === 0) return;
    characters.all++;
    if (read.characters[i] === character) characters.right++;
  });
  const wrong = new Set<number>();
  layout.targets.rows.forEach((row, i) => {
    if (read.tokens[i] !== layout.targets.tokens[i]) wrong.add(Math.floor(row / batch.length));
  });
  return examples.length - wrong.size;
}

async function save({ out, state }: PhaseOptions, model: StarterModel, optimizer: Optimizer): Promise<void> {
  await saveTrainingState(state, model.parameters, optimizer);
  const like = await describeCheckpoint(out);
  await saveCheckpoint(out, like, (name) => model.parameters.read(name), 'BF16');
}
