import { access, mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { QuestionToWrite } from './annotations/annotated-question.js';
import { writeChartqa } from './annotations/chartqa.js';
import { cocoStem, okvqaQuestionsName, writeOkvqa } from './annotations/okvqa.js';
import { writeStvqa } from './annotations/stvqa.js';
import { writeTextvqa } from './annotations/textvqa.js';
import { contactSheet } from './world/contact-sheet.js';
import { drawSample } from './world/draw-sample.js';
import { tasks, type Task } from '@mpa/answer-metrics';
import type { DrawnSample } from './world/drawn-sample.js';
import type { Split } from './world/split.js';
import { WorldError } from './world/world-error.js';

/** What to draw, and where to. */
export interface WorldOptions {
  task: Task;
  split: Split;
  /** How many images, 1 to 1,000,000. */
  count: number;
  /** From 1; image i of seed s is drawn from the number s x 1,000,000 + i, so different seeds share no image. */
  seed: number;
  /** The folder to write into; made when it is not there. */
  out: string;
  /** Whether to write a contact sheet of the first images too. */
  sheet?: boolean;
  /** Ends the writing early, with the signal's reason; files that are written stay, and a later call goes on from there. */
  signal?: AbortSignal;
  /** Told after each image how many of all are done. */
  onProgress?: (done: number, total: number) => void;
}

/** What was written, and where. */
export interface WrittenWorld {
  /** Image files written now. */
  written: number;
  /** Image files that were there already. */
  kept: number;
  imageFolder: string;
  /** The annotations file for `loadBenchmark`; for the test split only. */
  annotations?: string;
  /** How many questions the annotations ask. */
  questions: number;
  sheet?: string;
}

const SEEDS_APART = 1_000_000;
/** The last seed whose images have numbers below 2^31: those above are pretraining's. */
const LAST_SEED = 2146;
const SHEET_IMAGES = 48;
const JPEG_QUALITY = 88;

/**
 * Draws images into `out/images` (PNG and JPEG mixed) and, for the test split, their questions and answers into `out` in the
 * benchmark's own schema. Images that are there already are not drawn again, or only for their questions. Files appear whole or not
 * at all. Throws `WorldError` for options out of range and when `out` cannot be written.
 */
export async function writeWorld(options: WorldOptions): Promise<WrittenWorld> {
  checkOptions(options);
  try {
    return await write(options);
  } catch (cause) {
    if (!isFileError(cause)) throw cause;
    throw new WorldError(`cannot write the drawn world to ${options.out} (${cause.message}); choose another folder or make room`, { cause }); // prettier-ignore
  }
}

async function write({
  task,
  split,
  count,
  seed,
  out,
  sheet,
  signal,
  onProgress,
}: WorldOptions): Promise<WrittenWorld> {
  const imageFolder = join(out, 'images');
  await mkdir(imageFolder, { recursive: true });
  const world: WrittenWorld = { written: 0, kept: 0, imageFolder, questions: 0 };
  const questions: QuestionToWrite[] = [];
  const shown: DrawnSample[] = [];
  for (let i = 0; i < count; i++) {
    signal?.throwIfAborted();
    const image = seed * SEEDS_APART + i;
    const imageName = imageNameOf(task, split, image);
    const path = join(imageFolder, imageName);
    const there = await exists(path);
    const show = sheet === true && i < SHEET_IMAGES;
    if (!there || split === 'test' || show) {
      const sample = await drawSample(task, split, image);
      if (!there) await writeWhole(path, await encoded(sample, imageName));
      if (show) shown.push(sample);
      questions.push(...sample.questions.map((one, index) => ({ ...one, image, imageName, index })));
    }
    world[there ? 'kept' : 'written']++;
    onProgress?.(i + 1, count);
  }
  if (split === 'test') {
    world.annotations = await writeAnnotations(task, out, questions);
    world.questions = questions.length;
  }
  if (sheet) {
    world.sheet = join(out, 'sheet.png');
    await writeWhole(world.sheet, await contactSheet(shown).encode('png'));
  }
  return world;
}

/** The image's file name: most charts are PNG, most photographs JPEG; OK-VQA names images as COCO does. */
function imageNameOf(task: Task, split: Split, image: number): string {
  const usual = image % 3 !== 0;
  const extension = (task === 'chartqa') === usual ? 'png' : 'jpg';
  const stem =
    task === 'okvqa' ? cocoStem(split === 'test' ? 'val2014' : 'train2014', image) : `${task}_${split}_${image}`;
  return `${stem}.${extension}`;
}

function encoded({ image }: DrawnSample, name: string): Promise<Buffer> {
  return name.endsWith('.png') ? image.encode('png') : image.encode('jpeg', JPEG_QUALITY);
}

async function writeAnnotations(task: Task, out: string, questions: readonly QuestionToWrite[]): Promise<string> {
  const put = async (name: string, content: unknown): Promise<string> => {
    const path = join(out, name);
    await writeWhole(path, JSON.stringify(content));
    return path;
  };
  switch (task) {
    case 'textvqa':
      return put('TextVQA_0.5.1_val.json', writeTextvqa(questions));
    case 'stvqa':
      return put('test_task_1.json', writeStvqa(questions));
    case 'chartqa':
      return put('test_human.json', writeChartqa(questions));
    case 'okvqa': {
      const files = writeOkvqa(questions);
      await put(okvqaQuestionsName(files.annotations), files.questions);
      return put(`mscoco_${files.annotations.data_subtype}_annotations.json`, files.annotations);
    }
  }
}

async function writeWhole(path: string, content: Buffer | string): Promise<void> {
  await writeFile(`${path}.part`, content);
  await rename(`${path}.part`, path);
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function isFileError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}

function checkOptions({ task, split, count, seed }: WorldOptions): void {
  if (!tasks.includes(task)) throw new WorldError(`unknown task ${String(task)}; choose one of ${tasks.join(', ')}`);
  if (split !== 'train' && split !== 'test')
    throw new WorldError(`unknown split ${String(split)}; choose train or test`);
  if (!Number.isInteger(count) || count < 1 || count > SEEDS_APART) {
    throw new WorldError(`cannot draw ${count} images; give a whole number from 1 to ${SEEDS_APART}`);
  }
  if (!Number.isInteger(seed) || seed < 1 || seed > LAST_SEED) {
    throw new WorldError(`cannot use seed ${seed}; give a whole number from 1 to ${LAST_SEED}`);
  }
}
