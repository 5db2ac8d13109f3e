import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { writeFolderAtomically } from '@mpa/storage';
import type { LoraOptions, Parameters } from '@mpa/tensorflow';
import { writeSafetensors } from '@mpa/vlm';
import type { CheckpointDescription } from '@mpa/vlm';

/** PEFT's model wraps the one that is adapted twice. */
const WRAPPED = 'base_model.model.';

/**
 * Writes a LoRA adapter as PEFT does, in float32: `adapter_model.safetensors` with `lora_A` [rank, in] and `lora_B` [out, rank] of
 * every module, and `adapter_config.json` with the modules by their whole names, since a name such as `q_proj` would mean the
 * vision tower's as well. `base` is the checkpoint that was adapted.
 * Source: peft `LoraConfig` and `get_peft_model_state_dict`, 0.21.
 */
export async function saveAdapter(
  folder: string,
  { dir, family }: Pick<CheckpointDescription, 'dir' | 'family'>,
  parameters: Pick<Parameters, 'get'>,
  { rank, alpha, modules }: LoraOptions,
): Promise<void> {
  const tensors = modules.flatMap((module) =>
    (['lora_A', 'lora_B'] as const).map((part) => {
      const tensor = parameters.get(`${module}.${part}`);
      const name = `${WRAPPED}${family.moduleName(module)}.${part}.weight`;
      return { name, shape: tensor.shape, values: tensor.dataSync<'float32'>() };
    }),
  );
  const config = {
    peft_type: 'LORA',
    task_type: null,
    base_model_name_or_path: resolve(dir),
    target_modules: modules.map((module) => family.moduleName(module)),
    r: rank,
    lora_alpha: alpha,
    lora_dropout: 0,
    bias: 'none',
    fan_in_fan_out: false,
    init_lora_weights: true,
    inference_mode: true,
  };
  await writeFolderAtomically(folder, async (temporary) => {
    writeSafetensors(join(temporary, 'adapter_model.safetensors'), tensors, tensors, 'F32');
    await writeFile(join(temporary, 'adapter_config.json'), `${JSON.stringify(config, null, 2)}\n`);
  });
}
