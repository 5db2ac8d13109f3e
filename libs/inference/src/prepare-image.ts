import type { ProcessedImage } from '@mpa/vlm';
import { imageFault, readImage } from './read-image.js';
import type { ImageFault, ReadImageOptions } from './read-image.js';
import type { VisionModel } from './vision-model.js';

/** Reads, decodes and prepares the image at a path or URI; or says why it cannot be used. */
export async function prepareImage(
  model: VisionModel,
  uri: string,
  options: Required<ReadImageOptions>,
): Promise<ProcessedImage | ImageFault> {
  try {
    return model.prepare(await readImage(uri, options));
  } catch (error) {
    const fault = imageFault(error);
    if (!fault) throw error;
    return fault;
  }
}

/** Whether an image was prepared. */
export function isPrepared(image: ProcessedImage | ImageFault): image is ProcessedImage {
  return !('reason' in image);
}
