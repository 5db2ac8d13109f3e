import type { CheckpointFiles } from '../checkpoint-files.js';
import { newProcessor } from '../new-processor.js';
import type { Processor } from '../processor.js';
import { checkImageToken, checkTokensPerTile, processorSettings } from '../processor-settings.js';
import { openTextProcessing } from '../text-processing.js';
import type { LlavaConfig } from './config.js';
import { LlavaImageProcessor } from './image-processor.js';

/** The processor of a LLaVA checkpoint. Source: processing_llava.py. */
export async function openLlavaProcessor(files: CheckpointFiles, config: LlavaConfig): Promise<Processor> {
  const text = await openTextProcessing(files);
  const { processor, image } = await processorSettings(files);
  const images = new LlavaImageProcessor(image, config);
  const own = processor['image_token'];
  const token = text.named('image_token') ?? (typeof own === 'string' ? own : '<image>');
  checkImageToken(files, text, token, config.imageTokenId);
  const claim = 'patch_size, num_additional_image_tokens and vision_feature_select_strategy come to';
  checkTokensPerTile(files, claim, promisedTokens(processor, config) ?? images.tokens, images.tokens);
  return newProcessor(text, images, { token, replacement: ({ tokens }) => token.repeat(tokens) });
}

/** Image tokens that the processor's own settings come to; folders from before they were there leave it to the model. */
function promisedTokens(settings: Record<string, unknown>, config: LlavaConfig): number | undefined {
  if (typeof settings['patch_size'] !== 'number') return undefined;
  const patches = Math.floor(config.vision.imageSize / settings['patch_size']) ** 2;
  const dropped = settings['vision_feature_select_strategy'] === 'default' ? 1 : 0;
  return patches + Number(settings['num_additional_image_tokens'] ?? 0) - dropped;
}
