import type { ModelShape } from '@mpa/vlm';
import { Tensor } from 'onnxruntime-node';
import type { InferenceSession } from 'onnxruntime-node';
import { joined } from './joined.js';
import { OnnxError } from './onnx-error.js';
import type { ImageFeatures } from './prompt-batch.js';

/** An image as the vision tower reads it. */
export interface ProcessedImage {
  /** Tiles of the image, the global one included. */
  readonly tiles: number;
  /** Normalised pixels [tiles, 3, tileSize, tileSize]. */
  readonly pixels: Float32Array;
  /** Index into the position table of each patch, [tiles, patches]. */
  readonly positionIds: Int32Array;
  /** 1 at patches of the image, 0 at padding, [tiles, patches]. */
  readonly patchMask: Uint8Array;
}

/** Runs the vision tower over all tiles of all images; `session` gives the graph with or without a mask. */
export async function encodeImages(
  shape: ModelShape,
  images: readonly ProcessedImage[],
  session: (masked: boolean) => Promise<InferenceSession>,
): Promise<ImageFeatures[]> {
  if (images.length === 0) return [];
  const patches = Math.floor(shape.tileSize / shape.patchSize) ** 2;
  images.forEach((image, i) => check(shape, image, i, patches));
  const tiles = images.reduce((sum, image) => sum + image.tiles, 0);
  const masked = images.some(({ patchMask }) => patchMask.includes(0));
  const size = 3 * shape.tileSize ** 2;
  const pixels = joined(
    new Float32Array(tiles * size),
    images.map((image) => image.pixels),
  );
  const positionIds = joined(
    new Int32Array(tiles * patches),
    images.map((image) => image.positionIds),
  );
  const mask = joined(
    new Int32Array(tiles * patches),
    images.map(({ patchMask }) => Int32Array.from(patchMask)),
  );
  const vision = await session(masked);
  const { features } = await vision.run({
    pixels: new Tensor('float32', pixels, [tiles, 3, shape.tileSize, shape.tileSize]),
    positionIds: new Tensor('int32', positionIds, [tiles, patches]),
    ...(masked ? { patchMask: new Tensor('int32', mask, [tiles, patches]) } : {}),
  });
  const values = features!.data as Float32Array;
  let start = 0;
  return images.map((image) => {
    const tokens = image.tiles * shape.tokensPerTile;
    const end = start + tokens * shape.hiddenSize;
    const part = values.slice(start, end);
    start = end;
    return { tokens, values: part };
  });
}

function check(shape: ModelShape, image: ProcessedImage, index: number, patches: number): void {
  const sizes = {
    pixels: image.tiles * 3 * shape.tileSize ** 2,
    positionIds: image.tiles * patches,
    patchMask: image.tiles * patches,
  };
  for (const [name, size] of Object.entries(sizes) as [keyof typeof sizes, number][]) {
    if (image[name].length === size) continue;
    throw new OnnxError(
      `Image ${index}: ${name} has ${image[name].length} values, but ${image.tiles} tiles of ${shape.tileSize} pixels need ${size}.`,
    );
  }
}
