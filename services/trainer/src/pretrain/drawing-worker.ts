import { parentPort, workerData } from 'node:worker_threads';
import { describeCheckpoint } from '@mpa/vlm';
import { drawExample } from './drawn-example.js';
import type { DrawRequest } from './drawn-example.js';

const { checkpoint } = workerData as { readonly checkpoint: string };
const { processor } = await describeCheckpoint(checkpoint);

async function draw({ id, ...request }: DrawRequest & { readonly id: number }): Promise<void> {
  const example = await drawExample(processor, request);
  parentPort!.postMessage(
    { id, example },
    example.sample.images.map((image) => image.pixels.buffer as ArrayBuffer),
  );
}

// A rejection ends the thread, and the pool hears of it.
parentPort!.on('message', (request: DrawRequest & { readonly id: number }) => void draw(request));
