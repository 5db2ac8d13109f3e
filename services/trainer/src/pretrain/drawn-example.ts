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
export interface DrawRequest {
  readonly scene: Task | 'page';
  readonly split: Split;
  readonly seed: number;
  /** How many of its questions are asked. */
  readonly questions: number;
  /** Questions that match this pattern are not asked (source of a regular expression, any case). */
  readonly unasked?: string | undefined;
  /** Whether it is also annotated and transcribed. */
  readonly dense: boolean;
  /** How easy a page is, 0 to 1. */
  readonly ease?: number;
}

/** One drawn image as the pretraining learns from it. */
export interface DrawnExample {
  readonly sample: TrainingSample;
  readonly labels: DenseLabels;
}

const TRANSCRIBE = 'Read everything.';

/** Draws an image and turns it into one packed training sample with dense labels. */
export async function drawExample(processor: Processor, request: DrawRequest): Promise<DrawnExample> {
  const { scene, split, seed } = request;
  const drawn = scene === 'page' ? drawPage(split, seed, request.ease) : await drawSample(scene, split, seed);
  const image = processor.image({ width: IMAGE_SIZE, height: IMAGE_SIZE, data: drawn.pixels });
  const turns = turnsOf(drawn, request).map(([question, answer]) => ({
    prompt: processor.prompt(
      [{ role: 'user', content: [{ type: 'image' }, { type: 'text', text: question }] }],
      [image],
    ),
    answer: processor.answer(answer),
  }));
  return {
    sample: packTurns(turns, [image]),
    labels: denseLabels(drawn, IMAGE_SIZE, Math.sqrt(image.positionIds.length / image.tiles)),
  };
}

function turnsOf(drawn: DrawnScene, { scene, seed, questions, dense, unasked }: DrawRequest): [string, string][] {
  if (scene === 'page') return [[TRANSCRIBE, drawn.transcription]];
  const { uniform } = seededRandom(seed);
  const pattern = unasked === undefined ? undefined : new RegExp(unasked, 'i');
  const askable = drawn.questions.filter(({ question }) => !pattern?.test(question));
  const asked = shuffle(askable, uniform).slice(0, questions);
  const turns = asked.map(({ question, answer }): [string, string] => [question, answer]);
  if (!dense) return turns;
  const annotated = askable[Math.floor(uniform() * askable.length)];
  if (annotated) turns.push([annotationPrompt(scene), formatAnnotation(annotated)]);
  turns.push([TRANSCRIBE, drawn.transcription]);
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
