import type { ImageInput } from '@mpa/tensorflow';
import { decodeImage } from '@mpa/vlm';
import type { CheckpointDescription, ProcessedImage } from '@mpa/vlm';
import { join } from 'node:path';
import type { OracleFolder } from './oracle-folder.js';

/** The images of a case as our processor prepares them, per sample. */
export async function processedImages(
  folder: OracleFolder,
  { processor }: CheckpointDescription,
  k: number,
): Promise<ProcessedImage[][]> {
  const { samples, processor_kwargs: kwargs } = folder.reference.cases[k]!;
  const options = kwargs.do_image_splitting === undefined ? {} : { split: kwargs.do_image_splitting };
  return Promise.all(
    samples.map(({ images }) =>
      Promise.all(images.map(async (name) => processor.image(await decodeImage(join(folder.dir, name)), options))),
    ),
  );
}

/** The same with the reference's own pixels, so that the model is compared on equal input. */
export async function storedImages(
  folder: OracleFolder,
  checkpoint: CheckpointDescription,
  k: number,
): Promise<ImageInput[][]> {
  const { data, shape } = folder.tensor(`case${k}.pixel_values`);
  const [, perSample = 0, ...tile] = shape;
  const size = tile.reduce((product, n) => product * n, 1);
  const processed = await processedImages(folder, checkpoint, k);
  return processed.map((images, sample) => {
    let at = sample * perSample * size;
    return images.map((image) => {
      const pixels = (data as Float32Array).slice(at, (at += image.tiles * size));
      return { ...image, pixels };
    });
  });
}
