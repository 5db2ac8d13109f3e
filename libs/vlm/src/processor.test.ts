import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describeCheckpoint } from './checkpoint.js';
import { CheckpointError } from './checkpoint-error.js';
import { decodeImage } from './image/decode-image.js';
import { checkpointCopy, oracle, oracleOf, reference } from './oracle.fixture.js';
import type { ImageOptions, Message, Processor } from './processor.js';

interface Sample {
  readonly messages: readonly Message[];
  readonly images: readonly string[];
  readonly chat_text: string;
  readonly expanded_text: string;
  readonly answer: string;
  readonly answer_ids: readonly number[];
  readonly generated_ids: readonly number[];
  readonly generated_text: string;
  readonly generated_text_with_special: string;
}

interface Case {
  readonly name: string;
  readonly processor_kwargs: {
    readonly do_image_splitting?: boolean;
    readonly crop_to_patches?: boolean;
    readonly max_patches?: number;
  };
  readonly samples: readonly Sample[];
}

interface Reference {
  readonly tokenizer_texts: readonly { readonly text: string; readonly ids: number[]; readonly decoded: string }[];
  readonly cases: readonly Case[];
}

function optionsOf({ processor_kwargs: kwargs }: Case): ImageOptions {
  const split = kwargs.do_image_splitting ?? kwargs.crop_to_patches;
  return {
    ...(split !== undefined && { split }),
    ...(kwargs.max_patches !== undefined && { maxTiles: kwargs.max_patches }),
  };
}

describe.each([
  ['smolvlm', 'hub'],
  ['smolvlm', 'v5_layout'],
  ['smolvlm', 'idefics3_layout'],
  ['internvl', 'hub'],
  ['internvl', 'v5_layout'],
  ['llava', 'hub'],
  ['llava', 'v5_layout'],
  ['qwen2_vl', 'hub'],
  ['qwen2_vl', 'v5_layout'],
  ['qwen2_5_vl', 'hub'],
  ['qwen2_5_vl', 'v5_layout'],
] as const)('the processor of the %s checkpoint (%s)', (family, layout) => {
  const folder = oracleOf(family);
  const { tokenizer_texts: texts, cases } = JSON.parse(
    readFileSync(join(folder, 'reference.json'), 'utf8'),
  ) as Reference;

  it('tokenizes and decodes as transformers does', async () => {
    const { processor } = await describeCheckpoint(await checkpointCopy(layout, folder));
    for (const { text, ids, decoded } of texts) {
      expect([...processor.encode(text)], text).toEqual(ids);
      expect(processor.decode(ids, { skipSpecial: false })).toBe(decoded);
    }
  });

  it.each(cases.map((c, k) => [c.name, k, c] as const))('prepares case %s as transformers does', async (_, k, c) => {
    const { processor } = await describeCheckpoint(await checkpointCopy(layout, folder));
    const ids = reference(`case${k}.input_ids`, folder);
    const pixels = reference(`case${k}.pixel_values`, folder);
    const all = Array.from(pixels.data);
    // Tiles of all samples one after the other, or the samples padded with black tiles to equally many.
    const perSample = pixels.shape.length === 5 ? all.length / c.samples.length : undefined;
    let at = 0;
    for (const [row, sample] of c.samples.entries()) {
      const images = await Promise.all(
        sample.images.map(async (file) => processor.image(await decodeImage(join(folder, file)), optionsOf(c))),
      );
      expect(processor.chat(sample.messages, { addGenerationPrompt: true })).toBe(sample.chat_text);
      const prompt = [...processor.prompt(sample.messages, images)];
      const end = (row + 1) * ids.shape[1]!; // padded on the left
      expect(prompt).toEqual(Array.from(ids.data).slice(end - prompt.length, end));
      expect(processor.decode(prompt, { skipSpecial: false })).toBe(sample.expanded_text);
      expect([...processor.answer(sample.answer)]).toEqual(sample.answer_ids);
      expect(processor.decode(sample.generated_ids)).toBe(sample.generated_text);
      expect(processor.decode(sample.generated_ids, { skipSpecial: false })).toBe(sample.generated_text_with_special);
      const found = images.flatMap((image) => [...image.vision.pixels.data]);
      expect(found.every((value, i) => value === all[at + i])).toBe(true);
      const padding = perSample === undefined ? [] : all.slice(at + found.length, at + perSample);
      expect(padding.every((value) => value === 0)).toBe(true);
      at += perSample ?? found.length;
    }
    expect(at).toBe(all.length);
  });
});

describe('the processor', () => {
  it('names both numbers when images and placeholders do not match', async () => {
    const { processor } = await describeCheckpoint(oracle);
    const messages: Message[] = [{ role: 'user', content: [{ type: 'image' }, { type: 'text', text: 'What?' }] }];
    expect(() => processor.prompt(messages, [])).toThrow('1 images, but 0 are given');
  });

  it('decodes nothing to nothing', async () => {
    const { processor } = await describeCheckpoint(oracle);
    expect(processor.decode([])).toBe('');
  });

  it.each([
    ['processor_config.json', '{"image_seq_len": 9}', /image_seq_len is 9, but a tile becomes 4/],
    ['chat_template.json', '{"chat_template": "{% for %}"}', /Jinja/],
    ['tokenizer.json', '{"model": {}}', /tokenizer\.json/],
    ['preprocessor_config.json', '{"resample": 9}', /preprocessor_config\.json: resample/],
  ])('refuses a wrong %s', async (name, content, message) => {
    const dir = await checkpointCopy();
    await writeFile(join(dir, name), content);
    const opened = describeCheckpoint(dir);
    await expect(opened).rejects.toThrow(CheckpointError);
    await expect(opened).rejects.toThrow(message);
    await expect(opened).rejects.toThrow(dir);
  });

  it.each([
    ['internvl', 'processor_config.json', { image_seq_length: 9 }, /image_seq_length is 9, but a tile becomes 4/],
    ['internvl', 'processor_config.json', { image_seq_length: undefined }, /image_seq_length is 256, but/],
    ['internvl', 'tokenizer_config.json', { extra_special_tokens: {} }, /names no start_image_token/],
    ['llava', 'processor_config.json', { num_additional_image_tokens: 0 }, /_strategy come to 15, but .* 16/],
    ['llava', 'processor_config.json', { patch_size: 16 }, /_strategy come to 4, but .* 16/],
  ] as const)('refuses %s with another %s (%j)', async (family, name, edit, message) => {
    const dir = await checkpointCopy('hub', oracleOf(family));
    const json = JSON.parse(readFileSync(join(dir, name), 'utf8')) as object;
    await writeFile(join(dir, name), JSON.stringify({ ...json, ...edit }));
    await expect(describeCheckpoint(dir)).rejects.toThrow(message);
  });

  it('refuses a tokenizer whose image token is not the model’s', async () => {
    const dir = await checkpointCopy();
    const config = readFileSync(join(dir, 'config.json'), 'utf8').replace(
      '"image_token_id": 558',
      '"image_token_id": 5',
    );
    await writeFile(join(dir, 'config.json'), config);
    await expect(describeCheckpoint(dir)).rejects.toThrow(/<image> is token 558, but image_token_id .* is 5/);
  });
});

it('keeps all of an answer that would grow together with the prompt', async () => {
  const { processor } = await describeCheckpoint(oracleOf('internvl'));
  // The prompt ends in a line break, and two of them are one token.
  expect(processor.decode(processor.answer('\n\nSTOP'), { skipSpecial: false })).toBe('\n\nSTOP<|im_end|>');
});

it('takes null in preprocessor_config.json for the default', async () => {
  const dir = await checkpointCopy('hub', oracleOf('llava'));
  const path = join(dir, 'preprocessor_config.json');
  const settings = JSON.parse(readFileSync(path, 'utf8')) as object;
  await writeFile(path, JSON.stringify({ ...settings, do_center_crop: null, resample: null, do_pad: null }));
  const pixels = { width: 40, height: 60, data: new Uint8Array(3 * 40 * 60) };
  const [{ processor }, plain] = [await describeCheckpoint(dir), await describeCheckpoint(oracleOf('llava'))];
  expect(processor.image(pixels)).toEqual(plain.processor.image(pixels));
});

describe('a LLaVA processor with another chat template', () => {
  const [question, words]: [Message, string] = [{ role: 'user', content: [{ type: 'text', text: 'Hi' }] }, 'I see it'];

  async function withTemplate(template: string): Promise<Processor> {
    const dir = await checkpointCopy('hub', oracleOf('llava'));
    await writeFile(join(dir, 'chat_template.json'), JSON.stringify({ chat_template: template }));
    return (await describeCheckpoint(dir)).processor;
  }

  it('ends an answer as the template does, or with the end token where it does not', async () => {
    const body = (end: string): string =>
      `{% for m in messages %}{{ m.role + ':' }}{% generation %}{{ ' ' + m.content[0].text }}{% endgeneration %}{{ '${end}' }}{% endfor %}` +
      "{% if add_generation_prompt %}{{ 'assistant:' }}{% endif %}";
    const decoded = async (end: string): Promise<string> => {
      const processor = await withTemplate(body(end));
      return processor.decode(processor.answer(words), { skipSpecial: false });
    };
    expect(await decoded(' ')).toBe('I see it</s>');
    expect(await decoded('<pad>\\n')).toBe('I see it<pad>');
  });

  it('does not begin twice where the template begins as the tokenizer does', async () => {
    const [bare, begun] = [await withTemplate("{{ 'x' }}"), await withTemplate("{{ bos_token + 'x' }}")];
    expect(begun.prompt([question], [])).toEqual(bare.prompt([question], []));
    expect(bare.prompt([question], [])[0]).toBe(1);
  });

  it('says so when the template has no place for an answer', async () => {
    const processor = await withTemplate('{{ messages[0].content[0].text }}');
    expect(() => processor.answer(words)).toThrow(/does not render an answer/);
  });
});

const sizes = [
  { width: 40, height: 40, split: false },
  { width: 300, height: 130, split: true },
  { width: 90, height: 310, split: true },
];

describe.each(['smolvlm', 'internvl', 'llava'] as const)('the regions of image tokens of %s', (family) => {
  it.each(sizes)('say where on a $width x $height image a token looks (split: $split)', async (size) => {
    const { width, height, split } = size;
    const { processor } = await describeCheckpoint(oracleOf(family));
    // A black image with one white spot, a tenth of it.
    const spot = { x: 0.62, y: 0.31 };
    const near = (x: number, y: number): boolean => Math.abs(x - spot.x) < 0.05 && Math.abs(y - spot.y) < 0.05;
    const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => {
      const pixel = Math.floor(i / 3);
      return near((pixel % width) / width, Math.floor(pixel / width) / height) ? 255 : 0;
    });
    const image = processor.image({ width, height, data }, { split });
    const regions = processor.regions(image);
    expect(regions).toHaveLength(image.tokens);

    const { pixels } = image.vision;
    const [tiles, , side] = pixels.shape as [number, number, number];
    const perTile = image.tokens / tiles;
    const tokens = Math.sqrt(perTile);
    const patch = side / tokens;
    regions.forEach(({ left, right, top, bottom }, i) => {
      const [tile, row, column] = [Math.floor(i / perTile), Math.floor((i % perTile) / tokens), i % tokens];
      let brightest = -Infinity;
      for (let y = row * patch; y < (row + 1) * patch; y++) {
        for (let x = column * patch; x < (column + 1) * patch; x++) {
          brightest = Math.max(brightest, pixels.data[(tile * 3 * side + y) * side + x]!);
        }
      }
      const center = { x: (left + right) / 2, y: (top + bottom) / 2 };
      if (near(center.x, center.y)) expect(brightest, `token ${i}`).toBeGreaterThan(0.5);
      // Further away than the spot, the token and the blur of resizing reach: dark.
      const [reachX, reachY] = [right - left + 0.06, bottom - top + 0.06];
      if (Math.abs(center.x - spot.x) > reachX || Math.abs(center.y - spot.y) > reachY) {
        expect(brightest, `token ${i}`).toBeLessThan(0);
      }
    });
  });
});
