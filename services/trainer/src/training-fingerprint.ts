import { createHash } from 'node:crypto';
import type { Weights } from '@mpa/vlm';
import type { TrainOptions } from './train-options.js';
import type { TrainingSource } from './training-source.js';

/** A digest of all that the curve of a training follows from: weights, samples and options. */
export function trainingFingerprint(
  weights: Weights,
  source: Pick<TrainingSource, 'fingerprint'>,
  { saveEvery: _, ...options }: TrainOptions,
): string {
  const hash = createHash('sha256');
  hash.update(JSON.stringify([source.fingerprint, Object.entries(options).sort()]));
  for (const name of weights.names) hash.update(name).update(weights.read(name));
  return hash.digest('hex');
}
