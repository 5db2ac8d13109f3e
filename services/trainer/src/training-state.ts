import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { writing } from '@mpa/storage';
import { tf } from '@mpa/tensorflow';
import type { Optimizer, OptimizerState, Parameters } from '@mpa/tensorflow';
import { openSafetensors, writeSafetensors } from '@mpa/vlm';
import type { Weights } from '@mpa/vlm';

/** A training as it was saved. */
export interface TrainingState {
  /** Every parameter that learns. */
  readonly weights: Weights;
  /** What the optimizer's `restore` takes. */
  readonly optimizer: OptimizerState;
  /** What it was saved with. */
  readonly fingerprint: string | undefined;
  /** Puts the saved values in the place of the parameters' own. */
  restoreParameters(parameters: Parameters): void;
  /** Lets go of the files. */
  close(): void;
}

const PARAMETERS = 'parameters.safetensors';
/** The first and the second sum of each parameter that has one. */
const SUMS = ['sum1.safetensors', 'sum2.safetensors'] as const;
const STEPS = 'steps.json';

/**
 * Saves what learns and the optimizer's sums, in float32, in one move: a killed process leaves the old state or the new.
 * `fingerprint` says later which training it was. Throws StorageError; the old state stays.
 */
export async function saveTrainingState(
  folder: string,
  parameters: Parameters,
  optimizer: Optimizer,
  fingerprint?: string,
): Promise<void> {
  const temporary = `${folder}.saving`;
  await writing(temporary, () => writeState(temporary, parameters, optimizer, fingerprint)).catch(async (error) => {
    // What of it was written takes room from whoever tries again.
    await rm(temporary, { recursive: true, force: true });
    throw error;
  });
  await mkdir(dirname(folder), { recursive: true });
  // Without the folder, what a kill left under `.old` is all there is: it stays until the new state is in place.
  if (existsSync(folder)) {
    await rm(`${folder}.old`, { recursive: true, force: true });
    await rename(folder, `${folder}.old`);
  }
  await rename(temporary, folder);
  await rm(`${folder}.old`, { recursive: true, force: true });
}

async function writeState(
  folder: string,
  parameters: Parameters,
  optimizer: Optimizer,
  fingerprint: string | undefined,
): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const { steps, sums } = optimizer.state();
  const shapeOf = (name: string): readonly number[] => parameters.get(name).shape;
  const learnt = parameters.trainableNames.map((name) => ({
    name,
    shape: shapeOf(name),
    values: parameters.get(name).dataSync<'float32'>(),
  }));
  writeSafetensors(join(folder, PARAMETERS), learnt, learnt, 'F32');
  const kept = [...sums];
  for (const [i, file] of SUMS.entries()) {
    const tensors = kept.flatMap(([name, { [i]: values }]) => (values ? [{ name, shape: shapeOf(name), values }] : []));
    writeSafetensors(join(folder, file), tensors, tensors, 'F32');
  }
  await writeFile(join(folder, STEPS), JSON.stringify({ steps, fingerprint }));
}

/** The state saved in a folder, or undefined if there is none. A kill between two renames leaves it under `.old`. */
export async function loadTrainingState(folder: string): Promise<TrainingState | undefined> {
  const found = [folder, `${folder}.old`].find((candidate) => existsSync(join(candidate, STEPS)));
  if (found === undefined) return undefined;
  const { steps, fingerprint } = JSON.parse(await readFile(join(found, STEPS), 'utf8')) as {
    steps: number;
    fingerprint?: string;
  };
  const weights = openSafetensors(join(found, PARAMETERS));
  const sums = new Map<string, Float32Array[]>();
  for (const file of SUMS) {
    const opened = openSafetensors(join(found, file));
    for (const name of opened.names) sums.set(name, [...(sums.get(name) ?? []), opened.read(name)]);
    opened.close();
  }
  return {
    weights,
    optimizer: { steps, sums },
    fingerprint,
    close: () => weights.close(),
    restoreParameters: (parameters) => {
      for (const name of weights.names) {
        parameters.assign(name, tf.tensor(weights.read(name), [...weights.shape(name)]));
      }
    },
  };
}
