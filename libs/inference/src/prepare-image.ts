import { imageFault, type ImageFault } from './read-image.js';
import type { LoadOptions, Teacher } from './teacher.js';

/** Reads and prepares the image at a path or URI; or says why it cannot be used. */
export async function prepareImage<Prepared>(
  model: Pick<Teacher<Prepared, unknown>, 'load'>,
  uri: string,
  options: LoadOptions,
): Promise<Prepared | ImageFault> {
  try {
    return await model.load({ source: { case: 'uri', value: uri } }, options);
  } catch (error) {
    const fault = imageFault(error);
    if (!fault) throw error;
    return fault;
  }
}

/** Whether an image was prepared. */
export function isPrepared<Prepared extends object>(image: Prepared | ImageFault): image is Prepared {
  return !('reason' in image);
}
