import { decodeImage } from '@mpa/vlm';
import type { CheckpointDescription, ImageInput, ImageOptions, ProcessedImage } from '@mpa/vlm';
import { join } from 'node:path';
import type { OracleFolder } from './oracle-folder.js';

/** The images of a case as our processor prepares them, per sample. */
export async function processedImages(
  folder: OracleFolder,
  { processor }: CheckpointDescription,
  k: number,
): Promise<ProcessedImage[][]> {
  const { samples, processor_kwargs: kwargs } = folder.reference.cases[k]!;
  const split = kwargs.do_image_splitting ?? kwargs.crop_to_patches;
  const { shortest_edge: least, longest_edge: most } = kwargs.size ?? {};
  const options: ImageOptions = {
    ...(split !== undefined && { split }),
    ...(kwargs.max_patches !== undefined && { maxTiles: kwargs.max_patches }),
    ...(least !== undefined && most !== undefined && { pixels: { least, most } }),
  };
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
  const stored = folder.tensor(`case${k}.pixel_values`).data as Float32Array;
  const perSample = pixelsPerSample(folder, k);
  const processed = await processedImages(folder, checkpoint, k);
  let at = 0;
  return processed.map((images, sample) => {
    if (perSample !== undefined) at = sample * perSample;
    return images.map((image) => {
      const { data, shape } = image.vision.pixels;
      const pixels = { data: stored.slice(at, (at += data.length)), shape };
      return { ...image, vision: { ...image.vision, pixels } };
    });
  });
}

/** Values of a sample where the reference pads all samples to as many tiles; undefined where it joins the tiles of all. */
export function pixelsPerSample(folder: OracleFolder, k: number): number | undefined {
  const { shape } = folder.tensor(`case${k}.pixel_values`);
  return shape.length === 5 ? shape.slice(1).reduce((product, n) => product * n, 1) : undefined;
}
