import { drawSample } from '@mpa/benchmarks';
import type { Split, Task } from '@mpa/benchmarks';
import { annotationPrompt, formatAnnotation } from '@mpa/prompts';
import { packTurns } from '@mpa/tensorflow';
import type { PromptAndAnswer, TrainingSample } from '@mpa/tensorflow';
import type { Processor } from '@mpa/vlm';
import { seededRandom } from '../random.js';
import { glyphLabels } from './glyph-labels.js';
import type { GlyphLabels } from './glyph-labels.js';

/** One drawn image as the pretraining learns from it. */
export interface DrawnExample {
  readonly task: Task;
  readonly sample: TrainingSample;
  readonly labels: GlyphLabels;
}

/** What a drawn image is asked. */
export interface Turns {
  /** How many of its questions. */
  readonly questions: number;
  /** Whether it is also transcribed and annotated. */
  readonly dense: boolean;
}

const TRANSCRIBE = 'Read everything.';

/** Draws image `seed` of a task and turns it into one packed training sample with dense labels. */
export async function drawExample(
  processor: Processor,
  task: Task,
  split: Split,
  seed: number,
  turns: Turns,
): Promise<DrawnExample> {
  const drawn = await drawSample(task, split, seed);
  const { width, height } = drawn.image;
  const rgba = drawn.image.getContext('2d').getImageData(0, 0, width, height).data;
  const image = processor.image({ width, height, data: dropAlpha(rgba) });
  const random = seededRandom(seed);
  const questions = shuffle(drawn.questions, random.uniform).slice(0, turns.questions);
  const asked: [string, string][] = questions.map(({ question, answer }) => [question, answer]);
  if (turns.dense) {
    const chosen = drawn.questions[Math.floor(random.uniform() * drawn.questions.length)]!;
    asked.push([annotationPrompt(task), formatAnnotation(chosen)]);
    if (drawn.transcription) asked.push([TRANSCRIBE, drawn.transcription]);
  }
  const packed: PromptAndAnswer[] = asked.map(([question, answer]) => ({
    prompt: processor.prompt(
      [{ role: 'user', content: [{ type: 'image' }, { type: 'text', text: question }] }],
      [image],
    ),
    answer: processor.answer(answer),
  }));
  return {
    task,
    sample: packTurns(packed, [image]),
    labels: glyphLabels(drawn.glyphs, width, Math.sqrt(image.positionIds.length / image.tiles)),
  };
}

function dropAlpha(rgba: Uint8ClampedArray): Uint8Array {
  const rgb = new Uint8Array((rgba.length / 4) * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4, to += 3) {
    rgb[to] = rgba[from]!;
    rgb[to + 1] = rgba[from + 1]!;
    rgb[to + 2] = rgba[from + 2]!;
  }
  return rgb;
}

function shuffle<T>(items: readonly T[], uniform: () => number): T[] {
  const shuffled = [...items];
  for (let i = shuffled.length - 1; i > 0; i--) {
    const j = Math.floor(uniform() * (i + 1));
    [shuffled[i], shuffled[j]] = [shuffled[j]!, shuffled[i]!];
  }
  return shuffled;
}
