import { CheckpointError } from './checkpoint-error.js';
import type { CheckpointFiles } from './checkpoint-files.js';
import type { TextProcessing } from './text-processing.js';

/**
 * The settings of a checkpoint's processor and of its image processor: in one file (v5 layout), or in two (hub). Those of the image
 * processor that are null are left out: they mean its default.
 */
export async function processorSettings(
  files: CheckpointFiles,
): Promise<{ readonly processor: Record<string, unknown>; readonly image: unknown }> {
  const processor = (await files.json('processor_config.json')) ?? {};
  const image = processor['image_processor'] ?? (await files.json('preprocessor_config.json')) ?? {};
  return { processor, image: Object.fromEntries(Object.entries(image).filter(([, value]) => value !== null)) };
}

/** Throws CheckpointError unless the tokenizer and the model mean the same token by an image. */
export function checkImageToken(
  files: CheckpointFiles,
  text: TextProcessing,
  token: string,
  imageTokenId: number,
): void {
  const id = text.idOf(token);
  if (id === imageTokenId) return;
  throw new CheckpointError(
    `${files.path('tokenizer.json')}: ${token} is token ${id}, but image_token_id in config.json is ${imageTokenId}`,
  );
}

/**
 * Throws CheckpointError unless the processor's settings promise as many tokens as the model makes of a tile; `claim` says which
 * settings, up to the number.
 */
export function checkTokensPerTile(files: CheckpointFiles, claim: string, promised: unknown, perTile: number): void {
  if (promised === perTile) return;
  throw new CheckpointError(
    `${files.path('processor_config.json')}: ${claim} ${String(promised)}, but a tile becomes ${perTile} tokens by config.json`,
  );
}
