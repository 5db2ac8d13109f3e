import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { annotationPrompt } from '@mpa/prompts';
import { loadTensorflow } from '@mpa/tensorflow';
import sharp from 'sharp';
import { writeSpeakingCheckpoint } from './speaking-checkpoint.fixture.js';

/** What `mpa align` is called with. */
export interface AlignInputs {
  /** Says of every image `What is drawn?` and `a cat`, whichever of the two it is asked for. */
  readonly teacher: string;
  /** Speaks noise. */
  readonly student: string;
  readonly images: string;
}

/** Fills a folder with a tiny teacher and `count` images, `good-0.png` and so on; the student is the oracle's checkpoint. */
export async function writeAlignInputs(folder: string, count: number): Promise<AlignInputs> {
  const student = fileURLToPath(new URL('../../../test/fixtures/vlm/smolvlm-a/', import.meta.url));
  const [teacher, images] = [join(folder, 'teacher'), join(folder, 'images')];
  const oracle = readdirSync(join(student, 'images')).map((name) => join(student, 'images', name));
  const lines = [
    { prompt: annotationPrompt('chartqa'), answer: 'Question: What is drawn? Answer: a cat' },
    { prompt: 'What is drawn?', answer: 'a cat' },
  ];
  await loadTensorflow();
  await writeSpeakingCheckpoint(teacher, student, lines, oracle);
  mkdirSync(images);
  await Promise.all(
    Array.from({ length: count }, (_, i) =>
      sharp({ create: { width: 40 + i, height: 60, channels: 3, background: { r: 40 * i, g: 90, b: 120 } } })
        .png()
        .toFile(join(images, `good-${i}.png`)),
    ),
  );
  return { teacher, student, images };
}
