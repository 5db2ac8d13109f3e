import { Worker } from 'node:worker_threads';
import type { Asking, DrawnExample, ImageRequest } from './drawn-example.js';

/** An image to draw and what to ask about it. */
export interface DrawRequest {
  readonly image: ImageRequest;
  readonly asking: Asking;
}

/** Draws images on worker threads, ahead of the training. Each thread keeps what it has drawn, some 50 kB an image. */
export class DrawingPool {
  private readonly workers: readonly Worker[];
  private readonly waiting = new Map<number, { resolve: (e: DrawnExample) => void; reject: (e: Error) => void }>();
  private next = 0;

  /** `checkpoint` is a folder whose processor prepares the images. */
  constructor(checkpoint: string, threads: number) {
    this.workers = Array.from({ length: threads }, () => {
      const worker = new Worker(new URL('./drawing-worker.js', import.meta.url), { workerData: { checkpoint } });
      worker.on('message', ({ id, example }: { id: number; example: DrawnExample }) => {
        this.waiting.get(id)?.resolve(example);
        this.waiting.delete(id);
      });
      worker.on('error', (error) => {
        for (const { reject } of this.waiting.values()) reject(error);
      });
      return worker;
    });
  }

  /** Draws one image, or takes it out of those drawn, and asks about it. Rejects with the worker's error. */
  draw(request: DrawRequest): Promise<DrawnExample> {
    const id = this.next++;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.workers[request.image.seed % this.workers.length]!.postMessage({ id, ...request });
    });
  }

  /** Stops the threads. */
  async close(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.terminate()));
  }
}
