import type { ModelShape, ProcessedImage } from '@mpa/vlm';
import { joined } from './joined.js';
import { OnnxError } from './onnx-error.js';
import type { ImageFeatures } from './prompt-batch.js';
import type { SessionThread } from './session-thread.js';

/** What the vision tower needs of an image. */
export type ImageTiles = Pick<ProcessedImage, 'pixels' | 'positionIds' | 'tiles'>;

// Patches of one run. More at once are slower on a CPU: 4 tiles of 1024 patches took 1.2 times as long as one after the other.
const PATCHES_PER_RUN = 1024;

/** Runs the vision tower over all tiles of all images. Throws {@link OnnxError} for an image of another model's size. */
export async function encodeImages(
  session: SessionThread,
  shape: ModelShape,
  images: readonly ImageTiles[],
): Promise<ImageFeatures[]> {
  const { tileSize, tokensPerTile, hiddenSize } = shape;
  const patches = Math.floor(tileSize / shape.patchSize) ** 2;
  const size = 3 * tileSize ** 2;
  images.forEach((image, i) => check(image, i, tileSize, { pixels: size, positionIds: patches }));
  const tiles = images.flatMap((image) =>
    Array.from({ length: image.tiles }, (_, t) => ({
      pixels: image.pixels.subarray(t * size, (t + 1) * size),
      positionIds: image.positionIds.subarray(t * patches, (t + 1) * patches),
    })),
  );
  const perRun = Math.max(1, Math.floor(PATCHES_PER_RUN / patches));
  const rows = new Float32Array(tiles.length * tokensPerTile * hiddenSize);
  for (let start = 0; start < tiles.length; start += perRun) {
    const run = tiles.slice(start, start + perRun);
    const pixels = joined(new Float32Array(run.length * size), run, (tile) => tile.pixels);
    const positionIds = joined(new Int32Array(run.length * patches), run, (tile) => tile.positionIds);
    const { features } = await session.run(
      'vision',
      {
        pixels: { type: 'float32', data: pixels, dims: [run.length, 3, tileSize, tileSize] },
        positionIds: { type: 'int32', data: positionIds, dims: [run.length, patches] },
      },
      ['features'],
    );
    rows.set(features.data, start * tokensPerTile * hiddenSize);
  }
  let start = 0;
  return images.map((image) => {
    const tokens = image.tiles * tokensPerTile;
    return { tokens, values: rows.slice(start, (start += tokens * hiddenSize)) };
  });
}

function check(
  image: ImageTiles,
  index: number,
  tileSize: number,
  sizes: { pixels: number; positionIds: number },
): void {
  for (const name of ['pixels', 'positionIds'] as const) {
    const needed = image.tiles * sizes[name];
    if (image[name].length === needed) continue;
    throw new OnnxError(
      `Image ${index}: ${name} has ${image[name].length} values, but ${image.tiles} tiles of ${tileSize} pixels need ` +
        `${needed}; process it with this model's own processor.`,
    );
  }
}
