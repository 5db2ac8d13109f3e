/** The size in pixels that an image is scaled to. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * The size nearest to an image's own of which both sides are multiples of `factor` and the area is `least` to `most` pixels, its aspect
 * ratio kept as far as that goes. Source: transformers image_processing_qwen2_vl.py, smart_resize.
 */
export function smartResize({ width, height }: Size, factor: number, least: number, most: number): Size {
  const sides = { width: roundHalfEven(width / factor) * factor, height: roundHalfEven(height / factor) * factor };
  const area = sides.width * sides.height;
  if (area > most) {
    const shrink = Math.sqrt((height * width) / most);
    const side = (x: number): number => Math.max(factor, Math.floor(x / shrink / factor) * factor);
    return { width: side(width), height: side(height) };
  }
  if (area < least) {
    const grow = Math.sqrt(least / (height * width));
    const side = (x: number): number => Math.ceil((x * grow) / factor) * factor;
    return { width: side(width), height: side(height) };
  }
  return sides;
}

/** To the nearest whole number, halves to the even one, as Python's `round`. */
function roundHalfEven(x: number): number {
  const below = Math.floor(x);
  const rest = x - below;
  if (rest !== 0.5) return Math.round(x);
  return below % 2 === 0 ? below : below + 1;
}
