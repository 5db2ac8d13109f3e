import { parentPort, workerData } from 'node:worker_threads';
import { describeCheckpoint } from '@mpa/vlm';
import { askAbout, drawImage } from './drawn-example.js';
import type { DrawnImage } from './drawn-example.js';
import type { DrawRequest } from './drawing-pool.js';

const { checkpoint } = workerData as { readonly checkpoint: string };
const { processor } = await describeCheckpoint(checkpoint);
/** Drawing takes longer than asking: an image that comes back is not drawn again. */
const kept = new Map<string, Promise<DrawnImage>>();

async function draw({ id, image, asking }: DrawRequest & { readonly id: number }): Promise<void> {
  const key = `${image.scene} ${image.split} ${image.seed}`;
  let drawing = kept.get(key);
  if (!drawing) kept.set(key, (drawing = drawImage(processor, image)));
  const example = askAbout(processor, await drawing, asking);
  parentPort!.postMessage(
    { id, example },
    example.sample.images.map(({ vision }) => vision.pixels.data.buffer as ArrayBuffer),
  );
}

// A rejection ends the thread, and the pool hears of it.
parentPort!.on('message', (request: DrawRequest & { readonly id: number }) => void draw(request));
