import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { smolVlm } from '@mpa/vlm';
import type { Weights } from '@mpa/vlm';
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

/**
 * First weights for a config.json: normal, of variance 1 / fan-in for products (divided by the number of layers where a
 * layer adds to the residual stream), 0.02 for embeddings, norms at one, biases at zero. The position table starts as
 * waves over rows and columns, so that attention can tell near from far from the first step on; without it, reading
 * takes several times as many images to begin. `normal` draws N(0, 1).
 */
export function randomWeights(config: object, normal: () => number): Weights {
  const parsed = smolVlm.readConfig(config);
  const shapes = smolVlm.weights(parsed);
  const { textLayers, visionLayers } = smolVlm.shape(parsed);
  const deviation = (name: string, shape: readonly number[]): number => {
    if (name.includes('embed_tokens')) return 0.02;
    const fanIn = shape.slice(1).reduce((product, n) => product * n, 1);
    const residual = /(o_proj|out_proj|down_proj|fc2)\.weight$/.test(name);
    const layers = name.includes('vision_model') ? visionLayers : textLayers;
    return Math.sqrt(1 / fanIn / (residual ? 2 * layers : 1));
  };
  return {
    names: [...shapes.keys()],
    shape: (name) => shapes.get(name)!,
    dtype: () => 'F32',
    read: (name) => {
      const shape = shapes.get(name)!;
      const length = shape.reduce((product, n) => product * n, 1);
      if (name.endsWith('.bias')) return new Float32Array(length);
      if (shape.length === 1) return new Float32Array(length).fill(1);
      if (name.includes('position_embedding')) return positionWaves(shape[0]!, shape[1]!);
      const scale = deviation(name, shape);
      return Float32Array.from({ length }, () => normal() * scale);
    },
  };
}

/** Sines and cosines of row and column at geometric frequencies [side * side, width], of amplitude 0.5. */
function positionWaves(patches: number, width: number): Float32Array {
  const side = Math.sqrt(patches);
  const frequencies = Math.floor(width / 4);
  const table = new Float32Array(patches * width);
  for (let patch = 0; patch < patches; patch++) {
    [Math.floor(patch / side), patch % side].forEach((coordinate, axis) => {
      for (let i = 0; i < frequencies; i++) {
        const angle = (coordinate * Math.PI) / 2 / (2 * side) ** (i / frequencies);
        const at = patch * width + axis * 2 * frequencies + 2 * i;
        table[at] = 0.5 * Math.sin(angle);
        table[at + 1] = 0.5 * Math.cos(angle);
      }
    });
  }
  return table;
}
