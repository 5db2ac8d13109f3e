import type { CheckpointFiles } from '../checkpoint-files.js';
import { newProcessor } from '../new-processor.js';
import type { Processor } from '../processor.js';
import { checkImageToken, processorSettings } from '../processor-settings.js';
import { openTextProcessing } from '../text-processing.js';
import type { PlainTensor } from '../vision-inputs.js';
import type { Qwen2VlConfig } from './config.js';
import { Qwen2VlImageProcessor } from './image-processor.js';
import type { ImageGrid } from './image-processor.js';

const IMAGE = '<|image_pad|>';

/**
 * The processor of a Qwen2-VL or Qwen2.5-VL checkpoint; `windows` as in {@link Qwen2VlImageProcessor}. Source: processing_qwen2_vl.py,
 * processing_qwen2_5_vl.py.
 */
export async function openQwen2VlProcessor(
  files: CheckpointFiles,
  config: Qwen2VlConfig,
  windows?: (grid: ImageGrid) => PlainTensor,
): Promise<Processor> {
  const text = await openTextProcessing(files);
  const settings = await processorSettings(files);
  const images = new Qwen2VlImageProcessor(settings.image, config.vision, windows);
  checkImageToken(files, text, IMAGE, config.imageTokenId);
  return newProcessor(text, images, { token: IMAGE, replacement: ({ tokens }) => IMAGE.repeat(tokens) });
}
