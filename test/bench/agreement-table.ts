import { join } from 'node:path';
import { tasks } from '@mpa/answer-metrics';
import { drawSample } from '@mpa/benchmarks';
import { loadModel, measureAgreement } from '@mpa/onnx';
import type { ImagePrompt } from '@mpa/onnx';
import { openCheckpoint } from '@mpa/vlm';
import type { Checkpoint } from '@mpa/vlm';

const IMAGES_A_TASK = 25;
const NEW_TOKENS = 16;
const TRIED = ['int8', 'int4'] as const;

/**
 * Prints what the lower precisions cost a checkpoint, against itself in float32: on questions about drawn images of the test split,
 * 25 of each task.
 */
export async function printAgreement(
  name: string,
  folder: string,
  { cacheDir, threads }: { readonly cacheDir: string; readonly threads: number },
): Promise<void> {
  const checkpoint = await openCheckpoint(folder);
  try {
    const prompts = await drawnPrompts(checkpoint);
    const options = (precision: string): { cacheDir: string; threads: number } => ({
      cacheDir: join(cacheDir, `agreement-${precision}`),
      threads,
    });
    const reference = await loadModel(checkpoint, { precision: 'float32', ...options('float32') });
    for (const precision of TRIED) {
      const model = await loadModel(checkpoint, { precision, ...options(precision) });
      const { sameTokens, sameAnswers, sameNextTokens, logits, logProbs } = await measureAgreement(
        reference,
        model,
        prompts,
        NEW_TOKENS,
      );
      console.log(
        `${`${name}: ${precision} against float32`.padEnd(46)} same tokens ${sameTokens.toFixed(3)}, answers ${sameAnswers.toFixed(3)}, ` +
          `next tokens ${sameNextTokens.toFixed(3)}; logits within ${logits.toFixed(2)}, log-probabilities ${logProbs.toFixed(3)}`,
      );
      await model.close();
    }
    await reference.close();
  } finally {
    checkpoint.close();
  }
}

async function drawnPrompts({ processor }: Checkpoint): Promise<ImagePrompt[]> {
  const prompts: ImagePrompt[] = [];
  for (const task of tasks) {
    for (let seed = 0; seed < IMAGES_A_TASK; seed++) {
      const { pixels, questions, image } = await drawSample(task, 'test', seed);
      const seen = processor.image({ width: image.width, height: image.height, data: pixels });
      const content = [{ type: 'image' }, { type: 'text', text: questions[0]!.question }] as const;
      prompts.push({ ids: processor.prompt([{ role: 'user', content }], [seen]), images: [seen] });
    }
  }
  return prompts;
}
