import { CheckpointError } from '../checkpoint-error.js';
import type { CheckpointFiles } from '../checkpoint-files.js';
import { newProcessor } from '../new-processor.js';
import type { ProcessedImage, Processor } from '../processor.js';
import { openTextProcessing } from '../text-processing.js';
import type { TextProcessing } from '../text-processing.js';
import type { SmolVlmConfig } from './config.js';
import { SmolVlmImageProcessor } from './image-processor.js';

const IMAGE = '<image>';
const AROUND = '<fake_token_around_image>';
const GLOBAL = '<global-img>';

/** The processor of a SmolVLM or Idefics3 checkpoint. Source: processing_smolvlm.py, processing_idefics3.py. */
export async function openSmolVlmProcessor(files: CheckpointFiles, config: SmolVlmConfig): Promise<Processor> {
  const text = await openTextProcessing(files);
  const processorConfig = (await files.json('processor_config.json')) ?? {};
  const images = new SmolVlmImageProcessor(
    processorConfig['image_processor'] ?? (await files.json('preprocessor_config.json')) ?? {},
    config,
  );
  const perTile = images.tokensPerTile;
  checkAgreement(files, text, config, processorConfig['image_seq_len'] ?? perTile, perTile);
  return newProcessor(text, images, {
    token: IMAGE,
    replacement: (image) => placeholders(image, perTile),
  });
}

/** The tokenizer, processor and model must mean the same placeholders. */
function checkAgreement(
  files: CheckpointFiles,
  text: TextProcessing,
  config: SmolVlmConfig,
  promised: unknown,
  perTile: number,
): void {
  for (const token of [AROUND, GLOBAL]) text.idOf(token);
  if (text.idOf(IMAGE) !== config.imageTokenId) {
    throw new CheckpointError(
      `${files.path('tokenizer.json')}: ${IMAGE} is token ${text.idOf(IMAGE)}, but image_token_id in config.json is ${config.imageTokenId}`,
    );
  }
  if (promised !== perTile) {
    throw new CheckpointError(
      `${files.path('processor_config.json')}: image_seq_len is ${String(promised)}, but a tile becomes ${perTile} tokens (image_size, patch_size and scale_factor in config.json)`,
    );
  }
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
