import { tokenPositions } from '@mpa/vlm';
import type { ImageInput, ModelShape } from '@mpa/vlm';
import { joined } from './joined.js';
import { OnnxError } from './onnx-error.js';
import type { Feeds } from './session-thread.js';

/** Features of one image, in the width of the text; computed once and used for every prompt on that image. */
export interface ImageFeatures extends Pick<ImageInput, 'grid' | 'tokens'> {
  /** Row-major [tokens, hidden]. */
  readonly values: Float32Array;
}

/** Token ids with image placeholders expanded, and the images in their order. */
export interface Prompt {
  readonly ids: Int32Array;
  readonly images: readonly ImageFeatures[];
  /** Tells prompts of the same tokens apart when answers are drawn, such as a digest of the images. */
  readonly drawKey?: string | undefined;
}

/** Sequences padded on the right to the longest, as the text graph reads them. */
export interface PromptBatch {
  /** Length of the longest sequence. */
  readonly width: number;
  readonly feeds: Feeds;
}

/**
 * Pads `prompts` and joins their image features. `room` is how many tokens are to be added to each. Throws
 * {@link OnnxError} for an empty prompt, one beyond the model's positions, an id outside the vocabulary, or image
 * tokens that are not as many as the features' rows.
 */
export function promptBatch(shape: ModelShape, prompts: readonly Prompt[], room: number): PromptBatch {
  if (prompts.length === 0) throw new OnnxError('No prompt was given; pass one or more.');
  prompts.forEach((prompt, i) => check(shape, prompt, i, room));
  const width = Math.max(...prompts.map(({ ids }) => ids.length));
  const ids = new Int32Array(prompts.length * width).fill(shape.imageTokenId === 0 ? 1 : 0);
  prompts.forEach((prompt, i) => ids.set(prompt.ids, i * width));
  const images = prompts.flatMap((prompt) => prompt.images);
  const rows = images.reduce((sum, { tokens }) => sum + tokens, 0);
  const features = joined(new Float32Array(rows * shape.hiddenSize), images, ({ values }) => values);
  const lengths = Int32Array.from(prompts, (prompt) => prompt.ids.length);
  return {
    width,
    feeds: {
      ids: { type: 'int32', data: ids, dims: [prompts.length, width] },
      lengths: { type: 'int32', data: lengths, dims: [prompts.length] },
      features: { type: 'float32', data: features, dims: [rows, shape.hiddenSize] },
      ...(shape.textRotary.axes && positionFeeds(shape, prompts, width)),
    },
  };
}

function positionFeeds(shape: ModelShape, prompts: readonly Prompt[], width: number): Feeds {
  const all = prompts.map(({ ids, images }) => tokenPositions(shape, ids, images));
  const positions = new Int32Array(prompts.length * width * 3);
  all.forEach((row, i) => positions.set(row.positions, i * width * 3));
  const next = Int32Array.from(all, (row) => row.next);
  return {
    positions: { type: 'int32', data: positions, dims: [prompts.length, width, 3] },
    nextPositions: { type: 'int32', data: next, dims: [prompts.length] },
  };
}

function check(shape: ModelShape, { ids, images }: Prompt, index: number, room: number): void {
  const fail = (problem: string): never => {
    throw new OnnxError(`Prompt ${index}: ${problem}`);
  };
  if (ids.length === 0) fail('it has no tokens; a prompt needs at least one.');
  if (ids.length + room > shape.maxPositions) {
    fail(
      `${ids.length} tokens and ${room} new ones exceed the model's ${shape.maxPositions} positions; ` +
        'shorten it, use fewer image tiles, or ask for fewer tokens.',
    );
  }
  let placeholders = 0;
  for (const id of ids) {
    if (id < 0 || id >= shape.vocabSize) fail(`token id ${id} is not in the vocabulary of ${shape.vocabSize}.`);
    if (id === shape.imageTokenId) placeholders++;
  }
  const rows = images.reduce((sum, { tokens }) => sum + tokens, 0);
  if (placeholders !== rows) {
    fail(`${placeholders} image tokens but ${rows} rows of image features; expand the prompt for these very images.`);
  }
  for (const { tokens, values } of images) {
    if (values.length !== tokens * shape.hiddenSize) {
      fail(`image features of ${values.length} values are not ${tokens} rows of ${shape.hiddenSize}.`);
    }
  }
}
