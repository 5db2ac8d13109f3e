import { CheckpointError } from './checkpoint-error.js';
import type { CheckpointFiles } from './checkpoint-files.js';
import type { TextProcessing } from './text-processing.js';

/** The settings of a checkpoint's processor and of its image processor: in one file (v5 layout), or in two (hub). */
export async function processorSettings(
  files: CheckpointFiles,
): Promise<{ readonly processor: Record<string, unknown>; readonly image: unknown }> {
  const processor = (await files.json('processor_config.json')) ?? {};
  return { processor, image: processor['image_processor'] ?? (await files.json('preprocessor_config.json')) ?? {} };
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

/** Throws CheckpointError unless the processor promises, in the settings that `name` says, as many tokens as the model makes of a tile. */
export function checkTokensPerTile(files: CheckpointFiles, name: string, promised: unknown, perTile: number): void {
  if (promised === perTile) return;
  throw new CheckpointError(
    `${files.path('processor_config.json')}: ${name} is ${String(promised)}, but a tile becomes ${perTile} tokens by config.json`,
  );
}
