import { modelCalls } from '@mpa/telemetry';
import { computeProvider } from '@mpa/tensorflow';
import type { EncodedImage, TensorModel, TrainingSample } from '@mpa/tensorflow';
import type { ImageInput, PlainTensor } from '@mpa/vlm';
import { BoundedCache } from './bounded-cache.js';
import type { AlignedSample } from './aligned-sample.js';
import type { TrainingSource } from './training-source.js';

/** A sample whose images are pixels or features. */
export type ReadySample = AlignedSample<ImageInput | EncodedImage>;

/**
 * Gives the samples of a source by index. Their images come as features, each computed once as long as `cacheBytes` has room for it; as pixels, when a
 * parameter of the vision tower learns. Images are encoded one by one, so that the features of one never depend on what
 * it is batched with: a resumed training computes the very same ones.
 */
export function encodedSource<C>(
  source: TrainingSource,
  model: TensorModel<C>,
  cacheBytes: number,
): (index: number) => Promise<ReadySample> {
  const cache = new BoundedCache<ReadySample>(cacheBytes);
  let towerLearns = false;
  return async (index) => {
    const known = cache.get(index);
    if (known) return known;
    const sample = await source.load(index);
    const images = towerLearns ? undefined : encode(sample, model);
    if (!images) {
      towerLearns = true;
      return sample;
    }
    const encoded = { ...sample, images };
    cache.set(index, encoded, bytesOf(encoded));
    return encoded;
  };
}

function encode<C>({ images }: TrainingSample, model: TensorModel<C>): EncodedImage[] | undefined {
  const encoded: EncodedImage[] = [];
  const provider = computeProvider();
  for (const image of images) {
    const features = modelCalls.traceSync(() => model.frozenFeatures(image), { kind: 'encode', provider });
    if (!features) return undefined;
    encoded.push({ features, tokens: image.tokens, grid: image.grid });
  }
  return encoded;
}

/** Memory of a sample's arrays. */
export function bytesOf({ ids, labels, segments, images, aims }: ReadySample): number {
  const arrays = images.flatMap((image) =>
    'features' in image ? [image.features] : Object.values(image.vision).map((input: PlainTensor) => input.data),
  );
  const shares = aims.map((aim) => (aim.kind === 'answer' ? aim.attention?.shares : undefined));
  return [ids, labels, segments, ...arrays, ...shares].reduce((sum, array) => sum + (array?.byteLength ?? 0), 0);
}
