import { Worker } from 'node:worker_threads';
import type { DrawnExample, DrawRequest } from './drawn-example.js';

/** Draws images on worker threads, ahead of the training. */
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

  /** Draws one image. Rejects with the worker's error. */
  draw(request: DrawRequest): Promise<DrawnExample> {
    const id = this.next++;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.workers[id % this.workers.length]!.postMessage({ id, ...request });
    });
  }

  /** Stops the threads. */
  async close(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.terminate()));
  }
}
