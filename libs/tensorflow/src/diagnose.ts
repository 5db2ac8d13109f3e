import { defaultCacheDirectory, locateTensorflow } from './backend-location.js';
import type { ChosenTensorflow } from './backend-location.js';
import { loadTensorflow } from './load.js';
import type { LoadOptions, Tensorflow } from './load.js';

/** What training would run on here, and how to get something better: what `mpa doctor` prints. */
export interface TensorflowDiagnosis extends Pick<Tensorflow, 'backend' | 'version' | 'devices' | 'why'> {
  /** The project's cache folder that was looked into. */
  readonly cacheDir: string;
  /** What to do for a better backend, one action each; empty when this one is the best for the machine. */
  readonly advice: readonly string[];
}

/**
 * Loads TensorFlow as training would, and reports on it.
 *
 * @throws TensorflowError when it cannot be loaded; the message says what to do
 */
export async function diagnoseTensorflow(options: Pick<LoadOptions, 'cacheDir'> = {}): Promise<TensorflowDiagnosis> {
  const cacheDir = options.cacheDir ?? defaultCacheDirectory();
  const { backend, version, devices, why } = await loadTensorflow({ cacheDir });
  return { backend, version, devices, why, cacheDir, advice: advise(locateTensorflow(cacheDir)?.chosen) };
}

function advise(chosen: ChosenTensorflow | undefined): string[] {
  if (!chosen) return ['run: npm run setup'];
  if (chosen.failures.length === 0) return [];
  const causes = chosen.failures.map(({ source, reason }) => `for the ${source}, mend this: ${reason}`);
  return [...causes, 'then run: npm run setup'];
}
