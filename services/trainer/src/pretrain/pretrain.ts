import { appendFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { TASKS } from '@mpa/benchmarks';
import type { Task } from '@mpa/benchmarks';
import {
  AdamW,
  collate,
  crossEntropy,
  disposeLayout,
  globalNorm,
  layOut,
  lossAndGradients,
  Parameters,
  scaleGradients,
  TensorModel,
  tf,
} from '@mpa/tensorflow';
import type { BatchLayout, Tensor } from '@mpa/tensorflow';
import { describeCheckpoint, saveCheckpoint, smolVlm } from '@mpa/vlm';
import { learningRate } from '../learning-rate.js';
import { loadTrainingState, saveTrainingState } from '../training-state.js';
import { seededRandom } from '../random.js';
import { addAuxiliaryHeads, auxiliaryLoss, auxiliaryTargets, characterLogits } from './auxiliary-heads.js';
import type { AuxiliaryTargets } from './auxiliary-heads.js';
import { DrawingPool } from './drawing-pool.js';
import type { DrawnExample } from './drawn-example.js';
import { firstWeights } from './first-weights.js';
import { writeStarterFiles } from './starter-checkpoint.js';
import type { StarterSize } from './starter-config.js';
import { starterWords } from './starter-words.js';

/** How a starter model is pretrained. */
export interface PretrainOptions {
  readonly size: StarterSize;
  /** Folder of the checkpoint; training state lies in `state/` under it and is picked up again. */
  readonly out: string;
  readonly steps: number;
  /** How many of the steps, the first ones, teach the vision tower alone to read, by the dense labels of pages full of words. */
  readonly readingSteps: number;
  /** Images per step. */
  readonly batch: number;
  readonly seed: number;
  readonly rate: number;
  readonly warmup: number;
  /** Drawing threads beside the training. */
  readonly drawers: number;
  /** Weight of the dense labels' loss at the first step; it falls to a tenth at the last. */
  readonly auxiliary: number;
  /** How often each task, and a page of words, is drawn after the reading steps, in proportion. */
  readonly mix: Readonly<Record<Task | 'page', number>>;
  /** Steps between held-out checks and saved states. */
  readonly every: number;
  readonly onProgress: (progress: PretrainProgress) => void;
  readonly signal?: AbortSignal;
}

/** One line of the training curve. */
export interface PretrainProgress {
  readonly step: number;
  readonly loss: number;
  readonly auxiliaryLoss: number;
  readonly gradientNorm: number;
  readonly imagesPerSecond: number;
  /** Share of held-out questions answered exactly, per task, at checks only. */
  readonly accuracy?: Readonly<Record<string, number>>;
  /** Share of held-out half patches with a character whose character is told right, at checks only. */
  readonly characters?: number;
}

/** `mpa world` draws the images below this number, for any seed up to 2000; pretraining those from it on. */
const FIRST_IMAGE = 2 ** 31;
const MAX_NORM = 1;
const CHECKED_IMAGES = 40;
/** Share of the reading steps over which pages grow from a primer's to the full variety. */
const EASING = 0.7;

/**
 * Pretrains a starter model on the drawn world, training split, with labels: answers, a transcription and the
 * character at each patch. The alignment that comes later sees none of them. Held-out checks draw from the test
 * split, whose words and images training never draws. Resumes from the last saved state.
 */
export async function pretrain(options: PretrainOptions): Promise<void> {
  await mkdir(options.out, { recursive: true });
  const config = await writeStarterFiles(options.out, options.size, await starterWords());
  const random = seededRandom(options.seed);
  const resumed = await loadTrainingState(join(options.out, 'state'));
  const parameters = new Parameters(
    resumed?.weights ?? firstWeights(config, random.normal),
    { kind: 'full' },
    random.uniform,
  );
  if (!resumed) addAuxiliaryHeads(parameters, options.size.vision.width, random.normal);
  const optimizer = new AdamW(parameters, { betas: [0.9, 0.98], weightDecay: 0.05 });
  if (resumed) optimizer.restore(resumed.optimizer);
  const pool = new DrawingPool(options.out, options.drawers);
  try {
    const model = new TensorModel(smolVlm, smolVlm.readConfig(config), parameters);
    await run(options, model, optimizer, pool);
  } finally {
    await pool.close();
    optimizer.dispose();
    parameters.dispose();
  }
}

type StarterModel = TensorModel<ReturnType<typeof smolVlm.readConfig>>;

async function run(options: PretrainOptions, model: StarterModel, optimizer: AdamW, pool: DrawingPool): Promise<void> {
  const ahead = [0, 1, 2].map((i) => drawBatch(options, pool, optimizer.steps + i));
  let started = performance.now();
  for (let step = optimizer.steps; step < options.steps; step++) {
    if (options.signal?.aborted) break;
    const examples = await ahead.shift()!;
    if (step + 3 < options.steps) ahead.push(drawBatch(options, pool, step + 3));
    const result = trainStep(options, model, optimizer, examples);
    const now = performance.now();
    const progress = { step: step + 1, ...result, imagesPerSecond: (options.batch * 1000) / (now - started) };
    started = now;
    const due = (step + 1) % options.every === 0 || step + 1 === options.steps;
    const line = due ? { ...progress, ...(await check(options, model, pool)) } : progress;
    options.onProgress(line);
    if (due || (step + 1) % 20 === 0) await appendFile(join(options.out, 'curve.jsonl'), `${JSON.stringify(line)}\n`);
    if (due) await save(options, model, optimizer);
  }
  await Promise.all(ahead);
  await save(options, model, optimizer);
}

function trainStep(
  options: PretrainOptions,
  model: StarterModel,
  optimizer: AdamW,
  examples: readonly DrawnExample[],
): Pick<PretrainProgress, 'loss' | 'auxiliaryLoss' | 'gradientNorm'> {
  const layout = layOut(
    collate(
      examples.map((e) => e.sample),
      model.shape,
    ),
    model.shape,
  );
  const targets = auxiliaryTargets(examples.map((e) => e.labels));
  const progress = optimizer.steps / options.steps;
  const auxiliary = options.auxiliary * (1 - 0.9 * progress);
  const reading = optimizer.steps < options.readingSteps;
  const parts: number[] = [];
  const { value, gradients } = lossAndGradients(model.parameters, () => {
    const { answers, glyphs } = losses(model, layout, targets, reading);
    parts.push(answers.dataSync()[0]!, glyphs.dataSync()[0]!);
    return answers.add(glyphs.mul(auxiliary)).asScalar();
  });
  const [loss, auxiliaryLoss] = parts as [number, number];
  const gradientNorm = globalNorm(gradients);
  if (gradientNorm > MAX_NORM) scaleGradients(gradients, MAX_NORM / gradientNorm);
  optimizer.step(gradients, learningRate(optimizer.steps, options));
  tf.dispose([value, ...gradients.values()]);
  disposeLayout(layout);
  return { loss, auxiliaryLoss, gradientNorm };
}

function losses(
  model: StarterModel,
  layout: BatchLayout,
  targets: AuxiliaryTargets,
  reading: boolean,
): { answers: Tensor; glyphs: Tensor } {
  let patches: Tensor | undefined;
  const features = model.imageFeatures(layout, (x) => (patches = x));
  const glyphs = auxiliaryLoss(model.parameters, patches!, targets);
  if (reading) return { answers: tf.scalar(0), glyphs };
  const hidden = model.hidden(layout, features);
  return { answers: crossEntropy(model.targetLogProbabilities(layout, hidden), layout.targets.weights), glyphs };
}

function drawBatch(options: PretrainOptions, pool: DrawingPool, step: number): Promise<DrawnExample[]> {
  const scenes = [...TASKS, 'page'] as const;
  const total = scenes.reduce((sum, scene) => sum + options.mix[scene], 0);
  return Promise.all(
    Array.from({ length: options.batch }, (_, i) => {
      const seed = FIRST_IMAGE + ((options.seed * 100_000_000 + step * options.batch + i) % FIRST_IMAGE);
      let left = seededRandom(seed).uniform() * total;
      const drawn = scenes.find((scene) => (left -= options.mix[scene]) < 0) ?? 'page';
      const scene = step < options.readingSteps ? 'page' : drawn;
      const ease = Math.max(0, 1 - step / (EASING * options.readingSteps));
      return pool.draw({ scene, split: 'train', seed, questions: 3, dense: true, ease });
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
        pool.draw({ scene: task, split: 'test', seed: from + i, questions: 1, dense: false }),
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
    const hidden = model.hidden(
      layout,
      model.imageFeatures(layout, (x) => (patches = x)),
    );
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

async function save(options: PretrainOptions, model: StarterModel, optimizer: AdamW): Promise<void> {
  await saveTrainingState(join(options.out, 'state'), model.parameters, optimizer);
  const like = await describeCheckpoint(options.out);
  await saveCheckpoint(options.out, like, (name) => model.parameters.read(name), 'BF16');
}
