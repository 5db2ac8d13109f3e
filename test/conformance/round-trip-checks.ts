import { openCheckpoint, saveCheckpoint } from '@mpa/vlm';
import type { Checkpoint, Dtype } from '@mpa/vlm';
import { largestDifference } from './check.js';
import type { Check } from './check.js';

/** Half a unit in the last place of a value around 1, relative. */
const ROUNDING: Readonly<Record<Dtype, number>> = { F32: 0, F16: 2 ** -11, BF16: 2 ** -8 };

/** Saves the checkpoint in every element type and reads it again. */
export async function* roundTripChecks(checkpoint: Checkpoint, folder: string): AsyncGenerator<Check> {
  for (const dtype of ['F32', 'BF16', 'F16'] as const) {
    const dir = `${folder}-${dtype}`;
    await saveCheckpoint(dir, checkpoint, (name) => checkpoint.weights.read(name), dtype);
    const saved = await openCheckpoint(dir);
    let difference = 0;
    let largest = 0;
    for (const name of checkpoint.weights.names) {
      const original = checkpoint.weights.read(name);
      difference = Math.max(difference, largestDifference(saved.weights.read(name), original));
      largest = original.reduce((most, value) => Math.max(most, Math.abs(value)), largest);
    }
    saved.close();
    yield { name: `saved as ${dtype} and read again`, difference, tolerance: ROUNDING[dtype] * largest };
  }
}
