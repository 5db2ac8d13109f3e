import { tokenPositions } from '@mpa/vlm';
import type { CheckpointDescription } from '@mpa/vlm';
import { close, equal } from './check.js';
import type { Check } from './check.js';
import type { OracleFolder } from './oracle-folder.js';
import { pixelsPerSample, processedImages } from './stored-images.js';

/** Tokenizer, chat template, prompt expansion and pixels of every case. */
export async function* processorChecks(folder: OracleFolder, checkpoint: CheckpointDescription): AsyncGenerator<Check> {
  yield* tokenizerChecks(folder, checkpoint);
  for (const [k, reference] of folder.reference.cases.entries()) {
    const name = `case ${k} ${reference.name}: processor`;
    const images = await processedImages(folder, checkpoint, k);
    const { processor } = checkpoint;
    for (const [b, sample] of reference.samples.entries()) {
      const at = `${name} sample ${b}`;
      const messages = sample.messages as Parameters<typeof processor.chat>[0];
      const chat = processor.chat(messages, { addGenerationPrompt: true });
      yield equal(`${at} chat text`, chat, sample.chat_text);
      const prompt = processor.prompt(messages, images[b]!);
      yield equal(`${at} token ids`, prompt, promptIds(folder, k, b));
      yield equal(`${at} expanded text`, processor.decode(prompt, { skipSpecial: false }), sample.expanded_text);
      yield* positionChecks(folder, k, b, tokenPositions(checkpoint.shape, prompt, images[b]!).positions, at);
      yield equal(`${at} answer ids`, processor.answer(sample.answer), sample.answer_ids);
      yield equal(`${at} decoded`, processor.decode(sample.generated_ids), sample.generated_text);
    }
    yield close(
      `${name} pixels`,
      ownPixels(
        folder,
        k,
        images.map((all) => all.map((image) => image.vision.pixels.data)),
      ),
      folder.tensor(`case${k}.pixel_values`).data,
      0,
    );
  }
}

/** Where the reference has positions of several axes (M-RoPE), [axes, B, S]. */
function* positionChecks(
  folder: OracleFolder,
  k: number,
  sample: number,
  positions: Int32Array,
  name: string,
): Generator<Check> {
  if (!folder.tensorNames.includes(`case${k}.position_ids`)) return;
  const { data, shape } = folder.tensor(`case${k}.position_ids`);
  const [axes, batch, length] = shape as [number, number, number];
  const mask = folder.tensor(`case${k}.attention_mask`).data.subarray(sample * length, (sample + 1) * length);
  const expected = Array.from({ length }, (_, t) => t)
    .filter((t) => mask[t] === 1)
    .flatMap((t) => Array.from({ length: axes }, (_, axis) => data[(axis * batch + sample) * length + t]!));
  yield equal(`${name} token positions`, positions, expected);
}

function* tokenizerChecks(folder: OracleFolder, { processor }: CheckpointDescription): Generator<Check> {
  const texts = folder.reference.tokenizer_texts;
  const wrong = texts.filter(({ text, ids }) => processor.encode(text).join() !== ids.join());
  yield {
    name: `tokenizer: ids of ${texts.length} texts`,
    difference: wrong.length,
    tolerance: 0,
    detail: wrong[0] && JSON.stringify(wrong[0].text),
  };
  const undone = texts.filter(({ ids, decoded }) => processor.decode(ids, { skipSpecial: false }) !== decoded);
  yield {
    name: `tokenizer: texts of ${texts.length} id lists`,
    difference: undone.length,
    tolerance: 0,
    detail: undone[0] && JSON.stringify(undone[0].decoded),
  };
}

/** Ids of a prompt without its padding. */
export function promptIds(folder: OracleFolder, k: number, sample: number): Int32Array {
  const ids = folder.tensor(`case${k}.input_ids`);
  const mask = folder.tensor(`case${k}.attention_mask`);
  const length = ids.shape[1]!;
  const row = Array.from({ length }, (_, t) => sample * length + t).filter((i) => mask.data[i] === 1);
  return Int32Array.from(row, (i) => ids.data[i]!);
}

/** Our pixels in the layout of the reference: samples padded with black tiles, or all tiles one after the other. */
function ownPixels(folder: OracleFolder, k: number, pixels: readonly (readonly ArrayLike<number>[])[]): Float32Array {
  const perSample = pixelsPerSample(folder, k);
  const total = pixels.flat().reduce((sum, { length }) => sum + length, 0);
  const all = new Float32Array(perSample === undefined ? total : pixels.length * perSample);
  let at = 0;
  pixels.forEach((images, sample) => {
    if (perSample !== undefined) at = sample * perSample;
    for (const image of images) {
      all.set(image, at);
      at += image.length;
    }
  });
  return all;
}
