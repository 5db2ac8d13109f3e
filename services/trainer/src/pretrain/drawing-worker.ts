import { parentPort, workerData } from 'node:worker_threads';
import { openCheckpoint } from '@mpa/vlm';
import { drawExample } from './drawn-example.js';
import type { DrawRequest } from './drawing-pool.js';

const { checkpoint } = workerData as { readonly checkpoint: string };
const { processor } = await openCheckpoint(checkpoint, { weights: false });

async function draw({ id, task, split, seed, turns }: DrawRequest & { readonly id: number }): Promise<void> {
  const example = await drawExample(processor, task, split, seed, turns);
  parentPort!.postMessage(
    { id, example },
    example.sample.images.map((image) => image.pixels.buffer as ArrayBuffer),
  );
}

// A rejection ends the thread, and the pool hears of it.
parentPort!.on('message', (request: DrawRequest & { readonly id: number }) => void draw(request));
