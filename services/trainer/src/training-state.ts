import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { tf } from '@mpa/tensorflow';
import type { AdamW, Parameters } from '@mpa/tensorflow';
import { openSafetensors, writeSafetensors } from '@mpa/vlm';
import type { Weights } from '@mpa/vlm';

/** A training as it was saved. */
export interface TrainingState {
  /** Every parameter that learns. */
  readonly weights: Weights;
  /** What {@link AdamW.restore} takes. */
  readonly optimizer: ReturnType<AdamW['state']>;
  /** What it was saved with. */
  readonly fingerprint: string | undefined;
  /** Puts the saved values in the place of the parameters' own. */
  restoreParameters(parameters: Parameters): void;
  /** Lets go of the files. */
  close(): void;
}

const FILES = { parameters: 'parameters.safetensors', first: 'sum1.safetensors', second: 'sum2.safetensors' };
const STEPS = 'steps.json';

/**
 * Saves what learns and the optimizer's sums, in float32, in one move: a killed process leaves the old state or the new.
 * `fingerprint` says later which training it was.
 */
export async function saveTrainingState(
  folder: string,
  parameters: Parameters,
  optimizer: AdamW,
  fingerprint?: string,
): Promise<void> {
  const temporary = `${folder}.saving`;
  await rm(temporary, { recursive: true, force: true });
  await mkdir(temporary, { recursive: true });
  const { steps, sums } = optimizer.state();
  const shapeOf = (name: string): readonly number[] => parameters.get(name).shape;
  const learnt = parameters.trainableNames.map((name) => ({
    name,
    shape: shapeOf(name),
    values: parameters.get(name).dataSync<'float32'>(),
  }));
  const all = [...sums];
  const sum = (which: 1 | 2): typeof learnt =>
    all.map((entry) => ({ name: entry[0], shape: shapeOf(entry[0]), values: entry[which] }));
  writeSafetensors(join(temporary, FILES.parameters), learnt, learnt, 'F32');
  const shapes = all.map(([name]) => ({ name, shape: shapeOf(name) }));
  writeSafetensors(join(temporary, FILES.first), shapes, sum(1), 'F32');
  writeSafetensors(join(temporary, FILES.second), shapes, sum(2), 'F32');
  await writeFile(join(temporary, STEPS), JSON.stringify({ steps, fingerprint }));
  await mkdir(dirname(folder), { recursive: true });
  // Without the folder, what a kill left under `.old` is all there is: it stays until the new state is in place.
  if (existsSync(folder)) {
    await rm(`${folder}.old`, { recursive: true, force: true });
    await rename(folder, `${folder}.old`);
  }
  await rename(temporary, folder);
  await rm(`${folder}.old`, { recursive: true, force: true });
}

/** The state saved in a folder, or undefined if there is none. A kill between two renames leaves it under `.old`. */
export async function loadTrainingState(folder: string): Promise<TrainingState | undefined> {
  const found = [folder, `${folder}.old`].find((candidate) => existsSync(join(candidate, STEPS)));
  if (found === undefined) return undefined;
  const { steps, fingerprint } = JSON.parse(await readFile(join(found, STEPS), 'utf8')) as {
    steps: number;
    fingerprint?: string;
  };
  const weights = openSafetensors(join(found, FILES.parameters));
  const first = openSafetensors(join(found, FILES.first));
  const second = openSafetensors(join(found, FILES.second));
  const sums = first.names.map((name) => [name, first.read(name), second.read(name)] as const);
  first.close();
  second.close();
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
