import { openCheckpoint } from '@mpa/vlm';
import type { Checkpoint } from '@mpa/vlm';
import { loadTensorflow } from '@mpa/tensorflow';
import { peakMemory } from './peak-memory.js';
import { generateOnce, openForGeneration, trainable, trainStep, workload } from './subject.js';

/** What `alone.js` prints: the most memory that its process had, mapped files included. */
export interface AloneReport {
  readonly peakBytes: number;
}

/** Work for a process of its own, so that its memory can be told: `node alone.js WORK CHECKPOINT CACHE THREADS`. */
const works: Readonly<Record<string, (checkpoint: Checkpoint, cacheDir: string, threads: number) => Promise<void>>> = {
  answer: (checkpoint, cacheDir, threads) => answer(checkpoint, 'float32', cacheDir, threads),
  'answer in int8': (checkpoint, cacheDir, threads) => answer(checkpoint, 'int8', cacheDir, threads),
  'train full': (checkpoint) => train(checkpoint, 'full'),
  'train LoRA': (checkpoint) => train(checkpoint, 'LoRA'),
};

async function answer(
  checkpoint: Checkpoint,
  precision: 'float32' | 'int8',
  cacheDir: string,
  threads: number,
): Promise<void> {
  const model = await openForGeneration(checkpoint, { precision, threads, cacheDir });
  await generateOnce(model, checkpoint, workload(checkpoint), 1);
  await model.close();
}

async function train(checkpoint: Checkpoint, way: 'full' | 'LoRA'): Promise<void> {
  await loadTensorflow({ backend: 'native' });
  trainStep(checkpoint, workload(checkpoint), 1, trainable(checkpoint, way), 3);
}

const [work = '', folder = '', cacheDir = '', threads = '1'] = process.argv.slice(2);
const checkpoint = await openCheckpoint(folder);
await works[work]!(checkpoint, cacheDir, Number(threads));
checkpoint.close();
const report: AloneReport = { peakBytes: peakMemory() };
console.log(JSON.stringify(report));
