import { CheckpointError } from './checkpoint-error.js';
import type { CheckpointFiles } from './checkpoint-files.js';
import type { Family } from './family.js';
import { internVl } from './internvl/internvl.js';
import { openInternVlProcessor } from './internvl/processor.js';
import { llava } from './llava/llava.js';
import { openLlavaProcessor } from './llava/processor.js';
import type { Processor } from './processor.js';
import { openQwen25VlProcessor, qwen25Vl } from './qwen2-5-vl/qwen2-5-vl.js';
import { openQwen2VlProcessor } from './qwen2-vl/processor.js';
import { qwen2Vl } from './qwen2-vl/qwen2-vl.js';
import { openSmolVlmProcessor } from './smolvlm/processor.js';
import { smolVlm } from './smolvlm/smolvlm.js';

/** A family with its config read and its processor at hand. The config's type is known to the family alone. */
export interface OpenFamily {
  readonly family: Family<unknown>;
  readonly config: unknown;
  openProcessor(files: CheckpointFiles): Promise<Processor>;
}

function member<C>(
  family: Family<C>,
  openProcessor: (files: CheckpointFiles, config: C) => Promise<Processor>,
): { readonly modelTypes: readonly string[]; open(json: unknown): OpenFamily } {
  return {
    modelTypes: family.modelTypes,
    open: (json) => {
      const config = family.readConfig(json);
      // Sound: this config is the only one that this object's methods are ever called with.
      return { family, config, openProcessor: (files) => openProcessor(files, config) };
    },
  };
}

const members = [
  member(smolVlm, openSmolVlmProcessor),
  member(internVl, openInternVlProcessor),
  member(llava, openLlavaProcessor),
  member(qwen2Vl, openQwen2VlProcessor),
  member(qwen25Vl, openQwen25VlProcessor),
];

/** LLaVA and TinyLLaVA as their authors' own code writes them. */
const AUTHORS_LAYOUT = /^tiny_?llava|^llava_(llama|phi)/;
const CONVERT_LLAVA = 'convert the folder to LlavaForConditionalGeneration of transformers (model_type llava) first';

/** The family of a config.json. Throws CheckpointError naming the architectures that are supported. */
export function openFamily(json: Record<string, unknown>): OpenFamily {
  const type = json['model_type'];
  const found = members.find(({ modelTypes }) => modelTypes.includes(String(type)));
  if (!found) {
    const known = members.flatMap(({ modelTypes }) => modelTypes).join(', ');
    const advice = AUTHORS_LAYOUT.test(String(type)) ? `; ${CONVERT_LLAVA}` : '';
    throw new CheckpointError(
      `config.json: model_type ${JSON.stringify(type)} is not supported; supported are ${known}${advice}`,
    );
  }
  return found.open(json);
}
