import { parentPort, workerData } from 'node:worker_threads';
import { openCheckpoint } from '@mpa/vlm';
import { drawExample } from './drawn-example.js';
import type { DrawRequest } from './drawing-pool.js';

const { checkpoint } = workerData as { readonly checkpoint: string };
const { processor } = await openCheckpoint(checkpoint, { weights: false });

parentPort!.on('message', ({ id, task, split, seed, turns }: DrawRequest & { readonly id: number }) => {
  const example = drawExample(processor, task, split, seed, turns);
  parentPort!.postMessage({ id, example }, example.sample.images.map((image) => image.pixels.buffer as ArrayBuffer));
});
