import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { starterConfig } from './starter-config.js';
import type { StarterSize } from './starter-config.js';
import { starterTokenizer } from './starter-tokenizer.js';

const CHAT_TEMPLATE =
  "<|im_start|>{% for message in messages %}{{message['role'] | capitalize}}" +
  "{% if message['content'][0]['type'] == 'image' %}{{':'}}{% else %}{{': '}}{% endif %}" +
  "{% for line in message['content'] %}{% if line['type'] == 'text' %}{{line['text']}}" +
  "{% elif line['type'] == 'image' %}{{ '<image>' }}{% endif %}{% endfor %}<end_of_utterance>\n" +
  "{% endfor %}{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}";

/** Writes every file of a starter checkpoint but the weights. `words` become whole tokens. Gives its config.json. */
export async function writeStarterFiles(folder: string, size: StarterSize, words: readonly string[]): Promise<object> {
  const tokenizer = starterTokenizer(words);
  const config = starterConfig(size, tokenizer);
  const files: Record<string, object> = {
    ...tokenizer.files,
    'config.json': config,
    'generation_config.json': { bos_token_id: 1, eos_token_id: tokenizer.end, pad_token_id: tokenizer.pad },
    'chat_template.json': { chat_template: CHAT_TEMPLATE },
    'preprocessor_config.json': preprocessor(size),
    'processor_config.json': {
      image_seq_len: (size.imageSize / size.patchSize / size.scaleFactor) ** 2,
      processor_class: 'SmolVLMProcessor',
    },
  };
  await mkdir(folder, { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    await writeFile(join(folder, name), `${JSON.stringify(content, null, 1)}\n`);
  }
  return config;
}

function preprocessor({ imageSize }: StarterSize): object {
  return {
    do_convert_rgb: true,
    do_resize: true,
    do_image_splitting: false,
    do_rescale: true,
    do_normalize: true,
    do_pad: true,
    resample: 1,
    rescale_factor: 1 / 255,
    image_mean: [0.5, 0.5, 0.5],
    image_std: [0.5, 0.5, 0.5],
    size: { longest_edge: imageSize },
    max_image_size: { longest_edge: imageSize },
    image_processor_type: 'SmolVLMImageProcessor',
    processor_class: 'SmolVLMProcessor',
  };
}
