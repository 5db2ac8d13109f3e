import { describe, expect, it } from 'vitest';
import { cornersOf, type Quad } from './geometry.js';
import { homography, invert, project, warpOnto, type Pixels } from './perspective.js';

const quad: Quad = [
  { x: 12, y: 9 },
  { x: 90, y: 20 },
  { x: 84, y: 77 },
  { x: 5, y: 60 },
];

function picture(width: number, height: number, fill: (x: number, y: number) => number[]): Pixels {
  const data = new Uint8ClampedArray(width * height * 4);
  for (let i = 0; i < width * height; i++) data.set(fill(i % width, Math.floor(i / width)), i * 4);
  return { data, width, height };
}

describe('homography', () => {
  it('takes the corners of the rectangle to those of the quad, and its inverse back', () => {
    const map = homography(50, 30, quad);
    cornersOf({ x: 0, y: 0, w: 50, h: 30 }).forEach((corner, i) => {
      const there = project(map, corner);
      expect(there.x).toBeCloseTo(quad[i]?.x ?? NaN, 9);
      expect(there.y).toBeCloseTo(quad[i]?.y ?? NaN, 9);
      const back = project(invert(map), there);
      expect(back.x).toBeCloseTo(corner.x, 9);
      expect(back.y).toBeCloseTo(corner.y, 9);
    });
  });
});

describe('warpOnto', () => {
  it('copies pixels when the quad is where the layer would lie, and lets the target show through', () => {
    const layer = picture(8, 6, (x, y) => [x * 10, y * 10, 5, x === 3 ? 0 : 255]);
    const target = picture(20, 20, () => [200, 201, 202, 255]);
    const box = { x: 4, y: 5, w: 8, h: 6 };
    warpOnto(target, layer, homography(8, 6, cornersOf(box)), box);
    const at = (x: number, y: number): number[] => [...target.data.slice((y * 20 + x) * 4, (y * 20 + x) * 4 + 3)];
    expect(at(4 + 2, 5 + 3)).toEqual([20, 30, 5]);
    expect(at(4 + 3, 5 + 3)).toEqual([200, 201, 202]);
    expect(at(1, 1)).toEqual([200, 201, 202]);
  });
});
