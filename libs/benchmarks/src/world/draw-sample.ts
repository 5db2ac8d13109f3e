import { drawChartqa } from './chartqa-scene.js';
import type { DrawnSample, Task } from './drawn-sample.js';
import { drawOkvqa } from './okvqa-scene.js';
import { Random } from './random.js';
import type { Split } from './split.js';
import { drawStvqa } from './stvqa-scene.js';
import { drawTextvqa } from './textvqa-scene.js';

const SCENES = { chartqa: drawChartqa, textvqa: drawTextvqa, stvqa: drawStvqa, okvqa: drawOkvqa } as const;

/**
 * Draws one sample. The same task, split and seed give the same image, byte for byte; the two splits never share an image,
 * and never a word or number that is written in one (`splitOf`).
 */
export async function drawSample(task: Task, split: Split, seed: number): Promise<DrawnSample> {
  const random = new Random(`${task}:${split}:${seed}`);
  return { task, ...(await SCENES[task](random, split)) };
}
