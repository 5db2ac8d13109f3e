import { CheckpointError } from '../checkpoint-error.js';

/**
 * How many of a tower's layers are behind the hidden state that `vision_feature_layer` means: an index into those before the first
 * layer and after each, from the end if negative. Throws CheckpointError if there is no such.
 */
export function layersBehind(index: number, layers: number): number {
  const behind = index < 0 ? layers + 1 + index : index;
  if (behind >= 0 && behind <= layers) return behind;
  throw new CheckpointError(`config.json: vision_feature_layer is ${index}, but vision_config has ${layers} layers`);
}
