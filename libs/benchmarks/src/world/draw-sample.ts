import { setImmediate } from 'node:timers/promises';
import { createCanvas, ImageData, type Canvas } from '@napi-rs/canvas';
import { drawChartqa } from './chartqa-scene.js';
import type { Task } from '@mpa/answer-metrics';
import { IMAGE_SIZE, type DrawnSample } from './drawn-sample.js';
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
  await setImmediate(); // canvases are freed in the event loop only, which a caller that draws and draws would never reach
  const scene = await SCENES[task](random, split);
  let image: Canvas | undefined;
  return {
    task,
    ...scene,
    get image() {
      return (image ??= canvasOf(scene.pixels));
    },
  };
}

function canvasOf(pixels: Uint8Array): Canvas {
  const canvas = createCanvas(IMAGE_SIZE, IMAGE_SIZE);
  const picture = new ImageData(IMAGE_SIZE, IMAGE_SIZE);
  const rgba = picture.data;
  for (let from = 0, to = 0; from < pixels.length; from += 3, to += 4) {
    rgba[to] = pixels[from] as number;
    rgba[to + 1] = pixels[from + 1] as number;
    rgba[to + 2] = pixels[from + 2] as number;
    rgba[to + 3] = 255;
  }
  canvas.getContext('2d').putImageData(picture, 0, 0);
  return canvas;
}
