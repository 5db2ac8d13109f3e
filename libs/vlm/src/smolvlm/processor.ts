import type { CheckpointFiles } from '../checkpoint-files.js';
import { newProcessor } from '../new-processor.js';
import type { ProcessedImage, Processor } from '../processor.js';
import { checkImageToken, checkTokensPerTile, processorSettings } from '../processor-settings.js';
import { openTextProcessing } from '../text-processing.js';
import type { SmolVlmConfig } from './config.js';
import { SmolVlmImageProcessor } from './image-processor.js';

const IMAGE = '<image>';
const AROUND = '<fake_token_around_image>';
const GLOBAL = '<global-img>';

/** The processor of a SmolVLM or Idefics3 checkpoint. Source: processing_smolvlm.py, processing_idefics3.py. */
export async function openSmolVlmProcessor(files: CheckpointFiles, config: SmolVlmConfig): Promise<Processor> {
  const text = await openTextProcessing(files);
  const settings = await processorSettings(files);
  const images = new SmolVlmImageProcessor(settings.image, config);
  const perTile = images.tokensPerTile;
  for (const token of [AROUND, GLOBAL]) text.idOf(token);
  checkImageToken(files, text, IMAGE, config.imageTokenId);
  checkTokensPerTile(files, 'image_seq_len is', settings.processor['image_seq_len'] ?? perTile, perTile);
  return newProcessor(text, images, { token: IMAGE, replacement: (image) => placeholders(image, perTile) });
}

/** Rows of tiles, each row ended by a line break, then the global view after another one. */
function placeholders({ rows, columns }: ProcessedImage, perTile: number): string {
  const tile = IMAGE.repeat(perTile);
  const whole = `${AROUND}${GLOBAL}${tile}${AROUND}`;
  if (rows === 0) return whole;
  let text = '';
  for (let row = 1; row <= rows; row++) {
    for (let column = 1; column <= columns; column++) text += `${AROUND}<row_${row}_col_${column}>${tile}`;
    text += '\n';
  }
  return `${text}\n${whole}`;
}
