import { drawPage, drawSample, IMAGE_SIZE } from '@mpa/benchmarks';
import type { DrawnScene, Split, Task } from '@mpa/benchmarks';
import { annotationPrompt, formatAnnotation } from '@mpa/prompts';
import { packTurns } from '@mpa/tensorflow';
import type { TrainingSample } from '@mpa/tensorflow';
import type { Processor } from '@mpa/vlm';
import { seededRandom } from '../random.js';
import { denseLabels } from './dense-labels.js';
import type { DenseLabels } from './dense-labels.js';

/** Which image to draw: a benchmark's, or a page of words to learn the letters from. */
export interface ImageRequest {
  readonly scene: Task | 'page';
  readonly split: Split;
  readonly seed: number;
}

/** What to ask about an image. */
export interface Asking {
  /** Chooses the questions. */
  readonly seed: number;
  /** How many of its questions are asked. */
  readonly questions: number;
  /** Questions that match this pattern are not asked (source of a regular expression, any case). */
  readonly unasked?: string | undefined;
  /** Chance that it is also annotated, and that it is transcribed. */
  readonly more: number;
}

/** A drawn image as it is kept to be asked about again: small enough for tens of thousands in memory. */
export interface DrawnImage extends Pick<DrawnScene, 'questions' | 'transcription'> {
  readonly scene: ImageRequest['scene'];
  /** RGB, of the size that the model sees. */
  readonly rgb: { readonly width: number; readonly height: number; readonly data: Uint8Array };
  readonly labels: DenseLabels;
}

/** One drawn image as the pretraining learns from it. */
export interface DrawnExample {
  readonly sample: TrainingSample;
  readonly labels: DenseLabels;
}

const TRANSCRIBE = 'Read everything.';

/** Draws an image, its dense labels, and all that can be asked about it. Half of the pages are more or less easy. */
export async function drawImage(processor: Processor, { scene, split, seed }: ImageRequest): Promise<DrawnImage> {
  const { uniform } = seededRandom(seed);
  const ease = uniform() < 0.5 ? uniform() : 0;
  const drawn = scene === 'page' ? drawPage(split, seed, ease) : await drawSample(scene, split, seed);
  const { vision } = processor.image({ width: IMAGE_SIZE, height: IMAGE_SIZE, data: drawn.pixels });
  const side = vision.pixels.shape[2]!;
  const { questions, transcription } = drawn;
  return {
    scene,
    questions,
    transcription,
    rgb: { width: side, height: side, data: toRgb(vision.pixels.data) },
    labels: denseLabels(drawn, IMAGE_SIZE, Math.sqrt(vision.positionIds.shape[1]!)),
  };
}

/** Bytes [h, w, 3] of pixels [3, h, w] that were normalised with mean and deviation 0.5, as the starter models do. */
function toRgb(pixels: ArrayLike<number>): Uint8Array {
  const area = pixels.length / 3;
  return Uint8Array.from({ length: pixels.length }, (_, i) =>
    Math.round((pixels[(i % 3) * area + Math.floor(i / 3)]! + 1) * 127.5),
  );
}

/** Asks about a drawn image: one packed training sample. */
export function askAbout(processor: Processor, drawn: DrawnImage, asking: Asking): DrawnExample {
  const image = processor.image(drawn.rgb);
  const turns = turnsOf(drawn, asking).map(([question, answer]) => ({
    prompt: processor.prompt(
      [{ role: 'user', content: [{ type: 'image' }, { type: 'text', text: question }] }],
      [image],
    ),
    answer: processor.answer(answer),
  }));
  return { sample: packTurns(turns, [image]), labels: drawn.labels };
}

function turnsOf(drawn: DrawnImage, { seed, questions, unasked, more }: Asking): [string, string][] {
  const { scene, transcription } = drawn;
  const transcribed: [string, string] = [TRANSCRIBE, transcription];
  if (scene === 'page') return [transcribed];
  const { uniform } = seededRandom(seed);
  const pattern = unasked === undefined ? undefined : new RegExp(unasked, 'i');
  const askable = drawn.questions.filter(({ question }) => !pattern?.test(question));
  const asked = shuffle(askable, uniform).slice(0, questions);
  const turns = asked.map(({ question, answer }): [string, string] => [question, answer]);
  const annotated = askable[Math.floor(uniform() * askable.length)];
  if (uniform() < more && annotated) turns.push([annotationPrompt(scene), formatAnnotation(annotated)]);
  if (uniform() < more || turns.length === 0) turns.push(transcribed);
  return turns;
}

function shuffle<T>(items: readonly T[], uniform: () => number): T[] {
  const shuffled = [...items];
  for (let i = shuffled.length - 1; i > 0; i--) {
    const j = Math.floor(uniform() * (i + 1));
    [shuffled[i], shuffled[j]] = [shuffled[j]!, shuffled[i]!];
  }
  return shuffled;
}
