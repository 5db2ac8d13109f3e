import type { Box, Point, Quad } from './geometry.js';

/** A projective map of the plane: `[a b c; d e f; g h 1]`, row by row, nine numbers. */
export type Homography = readonly number[];

/** The map that takes the rectangle (0, 0, w, h) to the quad (Heckbert 1989, section 2.2.3). */
export function homography(w: number, h: number, [p0, p1, p2, p3]: Quad): Homography {
  const sx = p0.x - p1.x + p2.x - p3.x;
  const sy = p0.y - p1.y + p2.y - p3.y;
  const dx1 = p1.x - p2.x;
  const dy1 = p1.y - p2.y;
  const dx2 = p3.x - p2.x;
  const dy2 = p3.y - p2.y;
  const det = dx1 * dy2 - dx2 * dy1;
  const g = (sx * dy2 - dx2 * sy) / det;
  const k = (dx1 * sy - sx * dy1) / det;
  return [
    (p1.x - p0.x + g * p1.x) / w,
    (p3.x - p0.x + k * p3.x) / h,
    p0.x,
    (p1.y - p0.y + g * p1.y) / w,
    (p3.y - p0.y + k * p3.y) / h,
    p0.y,
    g / w,
    k / h,
    1,
  ];
}

/** The inverse map (up to scale). */
export function invert(m: Homography): Homography {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0, i = 0] = m;
  return [
    e * i - f * h,
    c * h - b * i,
    b * f - c * e,
    f * g - d * i,
    a * i - c * g,
    c * d - a * f,
    d * h - e * g,
    b * g - a * h,
    a * e - b * d,
  ];
}

/** Where the map takes a point. */
export function project(m: Homography, { x, y }: Point): Point {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0, i = 0] = m;
  const w = g * x + h * y + i;
  return { x: (a * x + b * y + c) / w, y: (d * x + e * y + f) / w };
}

/** An RGBA picture, 8 bits a channel, alpha not multiplied in. */
export interface Pixels {
  data: Uint8ClampedArray;
  width: number;
  height: number;
}

/** Draws `layer` through the map over `target`, bilinear, alpha over; only inside `area` of the target. */
export function warpOnto(target: Pixels, layer: Pixels, map: Homography, area: Box): void {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0, i = 0] = invert(map);
  const x0 = Math.max(0, Math.floor(area.x));
  const x1 = Math.min(target.width - 1, Math.ceil(area.x + area.w));
  const y1 = Math.min(target.height - 1, Math.ceil(area.y + area.h));
  const { data: to, width: stride } = target;
  const { data: from, width, height } = layer;
  for (let y = Math.max(0, Math.floor(area.y)); y <= y1; y++) {
    for (let x = x0; x <= x1; x++) {
      const w = g * (x + 0.5) + h * (y + 0.5) + i;
      const u = (a * (x + 0.5) + b * (y + 0.5) + c) / w - 0.5;
      const v = (d * (x + 0.5) + e * (y + 0.5) + f) / w - 0.5;
      const u0 = Math.floor(u);
      const v0 = Math.floor(v);
      if (u0 < 0 || v0 < 0 || u0 > width - 2 || v0 > height - 2) continue;
      // The four pixels around (u, v), each weighted by nearness and by its alpha.
      const p00 = (v0 * width + u0) * 4;
      const p01 = p00 + 4;
      const p10 = p00 + width * 4;
      const p11 = p10 + 4;
      const w00 = (1 - u + u0) * (1 - v + v0) * (from[p00 + 3] as number);
      const w01 = (u - u0) * (1 - v + v0) * (from[p01 + 3] as number);
      const w10 = (1 - u + u0) * (v - v0) * (from[p10 + 3] as number);
      const w11 = (u - u0) * (v - v0) * (from[p11 + 3] as number);
      const alpha = w00 + w01 + w10 + w11;
      if (alpha < 1) continue;
      const rest = 1 - alpha / 255;
      const at = (y * stride + x) * 4;
      for (let k = 0; k < 3; k++) {
        const mixed =
          w00 * (from[p00 + k] as number) +
          w01 * (from[p01 + k] as number) +
          w10 * (from[p10 + k] as number) +
          w11 * (from[p11 + k] as number);
        to[at + k] = mixed / 255 + (to[at + k] as number) * rest;
      }
    }
  }
}
