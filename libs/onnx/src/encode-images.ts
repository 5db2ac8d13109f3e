import type { ModelShape, ProcessedImage } from '@mpa/vlm';
import { Tensor } from 'onnxruntime-node';
import type { InferenceSession } from 'onnxruntime-node';
import { joined } from './joined.js';
import { OnnxError } from './onnx-error.js';
import type { ImageFeatures } from './prompt-batch.js';

/** What the vision tower needs of an image. */
export type ImageTiles = Pick<ProcessedImage, 'pixels' | 'positionIds' | 'tiles'>;

/** Runs the vision tower over all tiles of all images. Throws OnnxError for an image of another model's size. */
export async function encodeImages(
  session: InferenceSession,
  shape: ModelShape,
  images: readonly ImageTiles[],
): Promise<ImageFeatures[]> {
  if (images.length === 0) return [];
  const patches = Math.floor(shape.tileSize / shape.patchSize) ** 2;
  images.forEach((image, i) => check(shape, image, i, patches));
  const tiles = images.reduce((sum, image) => sum + image.tiles, 0);
  const size = 3 * shape.tileSize ** 2;
  const pixels = joined(
    new Float32Array(tiles * size),
    images.map((image) => image.pixels),
  );
  const positionIds = joined(
    new Int32Array(tiles * patches),
    images.map((image) => image.positionIds),
  );
  const { features } = await session.run({
    pixels: new Tensor('float32', pixels, [tiles, 3, shape.tileSize, shape.tileSize]),
    positionIds: new Tensor('int32', positionIds, [tiles, patches]),
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

function check(shape: ModelShape, image: ImageTiles, index: number, patches: number): void {
  const sizes = {
    pixels: image.tiles * 3 * shape.tileSize ** 2,
    positionIds: image.tiles * patches,
  };
  for (const [name, size] of Object.entries(sizes) as [keyof typeof sizes, number][]) {
    if (image[name].length === size) continue;
    throw new OnnxError(
      `Image ${index}: ${name} has ${image[name].length} values, but ${image.tiles} tiles of ${shape.tileSize} pixels need ${size}.`,
    );
  }
}
