import { describe, expect, it } from 'vitest';
import { stackViews } from './vision-inputs.js';
import type { PlainTensor, VisionInputs } from './vision-inputs.js';

/** Views of `patches` patches, their pixels numbered from `first`. */
function image(views: number, patches: number, first: number): VisionInputs<PlainTensor> {
  const numbered = Float32Array.from({ length: views * patches }, (_, i) => first + i);
  return {
    pixels: { data: numbered, shape: [views, patches, 1] },
    positionIds: { data: Int32Array.from(numbered), shape: [views, patches] },
  };
}

const shapes = (stacks: readonly VisionInputs<PlainTensor>[]): (readonly number[])[] =>
  stacks.map(({ pixels }) => pixels.shape);
const pixels = (stacks: readonly VisionInputs<PlainTensor>[]): number[] =>
  stacks.flatMap((stack) => [...stack.pixels.data]);

describe('stackViews', () => {
  const images = [image(1, 4, 0), image(3, 4, 4), image(1, 2, 16), image(1, 4, 18)];

  it('puts neighbours of one size together and keeps the order', () => {
    const stacks = [...stackViews(images)];
    expect(shapes(stacks)).toEqual([[4, 4, 1], [1, 2, 1], [1, 4, 1]]); // prettier-ignore
    expect(pixels(stacks)).toEqual(Array.from({ length: 22 }, (_, i) => i));
    expect(stacks.flatMap(({ positionIds }) => [...positionIds.data])).toEqual(pixels(stacks));
  });

  it('begins another stack where there would be too many patches, but never leaves a view out', () => {
    expect(shapes([...stackViews(images, 8)])).toEqual([[2, 4, 1], [2, 4, 1], [1, 2, 1], [1, 4, 1]]); // prettier-ignore
    const single = [...stackViews(images, 1)];
    expect(single).toHaveLength(6);
    expect(pixels(single)).toEqual(Array.from({ length: 22 }, (_, i) => i));
  });
});
