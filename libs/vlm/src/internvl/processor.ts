import { CheckpointError } from '../checkpoint-error.js';
import type { CheckpointFiles } from '../checkpoint-files.js';
import { newProcessor } from '../new-processor.js';
import type { Processor } from '../processor.js';
import { checkImageToken, checkTokensPerTile, processorSettings } from '../processor-settings.js';
import { openTextProcessing } from '../text-processing.js';
import type { InternVlConfig } from './config.js';
import { InternVlImageProcessor } from './image-processor.js';

/** The processor of an InternVL checkpoint. Source: processing_internvl.py. */
export async function openInternVlProcessor(files: CheckpointFiles, config: InternVlConfig): Promise<Processor> {
  const text = await openTextProcessing(files);
  const settings = await processorSettings(files);
  const images = new InternVlImageProcessor(settings.image, config);
  const named = (name: string): string => {
    const token = text.named(name);
    if (token === undefined) throw new CheckpointError(`${files.path('tokenizer_config.json')}: names no ${name}`);
    return token;
  };
  const [start, image, end] = [named('start_image_token'), named('context_image_token'), named('end_image_token')];
  for (const token of [start, end]) text.idOf(token);
  checkImageToken(files, text, image, config.imageTokenId);
  checkTokensPerTile(files, 'image_seq_length is', settings.processor['image_seq_length'] ?? 256, images.tokensPerTile);
  return newProcessor(text, images, {
    token: image,
    replacement: ({ tokens }) => `${start}${image.repeat(tokens)}${end}`,
  });
}
