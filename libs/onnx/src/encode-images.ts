import { stackViews } from '@mpa/vlm';
import type { ImageInput, InputDeclaration, ModelShape, PlainTensor, VisionInputs } from '@mpa/vlm';
import { OnnxError } from './onnx-error.js';
import type { ImageFeatures } from './prompt-batch.js';
import type { SessionThread, TensorValues } from './session-thread.js';

// Patches of one run. More at once are slower on a CPU: 4 tiles of 1024 patches took 1.2 times as long as one after the other.
const PATCHES_PER_RUN = 1024;

/** Runs the vision tower over all views of all images. Throws {@link OnnxError} for an image of another model's size. */
export async function encodeImages(
  session: SessionThread,
  { hiddenSize }: ModelShape,
  declared: VisionInputs<InputDeclaration>,
  images: readonly ImageInput[],
): Promise<ImageFeatures[]> {
  images.forEach(({ vision }, i) => check(vision, i, declared));
  const tokens = images.reduce((sum, image) => sum + image.tokens, 0);
  const rows = new Float32Array(tokens * hiddenSize);
  const views = images.map(({ vision }) => vision);
  let filled = 0;
  for (const stack of stackViews(views, PATCHES_PER_RUN)) {
    const feeds = Object.entries(stack).map(([name, tensor]) => [name, tensorValues(tensor as PlainTensor)] as const);
    const { features } = await session.run('vision', Object.fromEntries(feeds), ['features']);
    rows.set(features.data, filled);
    filled += features.data.length;
  }
  let start = 0;
  return images.map(({ tokens: own, grid }) => {
    const values = rows.slice(start, (start += own * hiddenSize));
    return { tokens: own, values, ...(grid && { grid }) };
  });
}

function tensorValues({ data, shape }: PlainTensor): TensorValues {
  return data instanceof Float32Array ? { type: 'float32', data, dims: shape } : { type: 'int32', data, dims: shape };
}

function check(image: VisionInputs<PlainTensor>, index: number, declared: VisionInputs<InputDeclaration>): void {
  for (const name of ['pixels', 'positionIds', 'windows'] as const) {
    const { shape = [], data } = image[name] ?? {};
    const wanted = declared[name]?.shape ?? [];
    const values = shape.reduce((product, n) => product * n, 1);
    const fits = wanted.length === shape.length && wanted.every((n, i) => typeof n === 'string' || n === shape[i]);
    if (fits && (data === undefined || data.length === values)) continue;
    throw new OnnxError(
      `Image ${index}: ${name} is [${shape.join(', ')}] with ${data?.length ?? 0} values, but the model reads ` +
        `[${wanted.join(', ')}]; process it with this model's own processor.`,
    );
  }
}
