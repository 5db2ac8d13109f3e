import { createCanvas, type Canvas, type SKRSContext2D } from '@napi-rs/canvas';
import { boxAround, cornersOf, readingOrder, type Box, type Quad } from './geometry.js';
import { IMAGE_SIZE, type Glyph } from './drawn-sample.js';
import { homography, project, warpOnto } from './perspective.js';
import type { Random } from './random.js';
import type { DrawnText } from './text.js';

/** Texts on the image in reading order; `places[i]` is where the text drawn as number i came to be. */
export interface Readable {
  texts: string[];
  glyphs: Glyph[];
  places: number[];
}

/**
 * Canvases that every stage of this thread draws on in turn: what they hold lies outside the JavaScript heap, and a new one for
 * each image would fill the memory long before the garbage collector sees a reason to run.
 */
let shared: { scene: Canvas; layer: Canvas } | undefined;

/**
 * An image in the making: a backdrop, then layers seen in perspective, then the camera's flaws. Begin and end it without
 * waiting in between: the next stage paints over it.
 */
export class Stage {
  readonly context: SKRSContext2D;
  private readonly layer: Canvas;
  private readonly texts: DrawnText[] = [];

  constructor() {
    shared ??= { scene: createCanvas(IMAGE_SIZE, IMAGE_SIZE), layer: createCanvas(IMAGE_SIZE, IMAGE_SIZE) };
    this.layer = shared.layer;
    this.context = shared.scene.getContext('2d');
    this.context.reset();
  }

  /** Draws a layer of `size`, at most as large as the image, and shows it in a quad of the image; `draw` gives its texts. */
  place(size: { w: number; h: number }, quad: Quad, draw: (context: SKRSContext2D) => readonly DrawnText[]): void {
    const context = this.layer.getContext('2d');
    context.reset();
    const texts = draw(context);
    const map = homography(size.w, size.h, quad);
    const scene = this.context.getImageData(0, 0, IMAGE_SIZE, IMAGE_SIZE);
    warpOnto(scene, context.getImageData(0, 0, size.w, size.h), map, boxAround(quad));
    this.context.putImageData(scene, 0, 0);
    for (const { text, characters } of texts) {
      const moved = characters.map(({ char, index, box }) => ({
        char,
        index,
        box: boxAround(cornersOf(box).map((corner) => project(map, corner))),
      }));
      this.texts.push({ text, characters: moved });
    }
  }

  /** Notes a text that was drawn straight on the image. */
  note(text: DrawnText): void {
    this.texts.push(text);
  }

  /** Everything there is to read. Boxes are cut at the image's edge. */
  readable(): Readable {
    const order = readingOrder(
      this.texts.map(({ characters }) => boxAround(characters.flatMap(({ box }) => [...cornersOf(box)]))),
    );
    const inOrder = order.flatMap((index) => this.texts[index] ?? []);
    return {
      texts: inOrder.map(({ text }) => text),
      glyphs: inOrder.flatMap(({ characters }, item) =>
        characters.map(({ char, index, box }) => ({ char, index, item, box: cut(box) })),
      ),
      places: this.texts.map((_, index) => order.indexOf(index)),
    };
  }

  /** The image as photographed, RGB: uneven light, a slight blur and grain, as much as `strength` (0 to 1). */
  photograph(random: Random, strength = 1): Uint8Array {
    const blur = random.chance(0.6) ? random.real(0.2, 1.1) * strength : 0;
    const { context } = this;
    if (blur > 0.25) {
      const soft = this.layer.getContext('2d');
      soft.reset();
      soft.filter = `blur(${blur.toFixed(2)}px)`;
      soft.drawImage(context.canvas, 0, 0);
      context.drawImage(this.layer, 0, 0);
    }
    return lit(context.getImageData(0, 0, IMAGE_SIZE, IMAGE_SIZE).data, random, strength);
  }
}

/** The picture without its alpha, in uneven, tinted light and with grain. */
function lit(rgba: Uint8ClampedArray, random: Random, strength: number): Uint8Array {
  const gain = 1 + random.real(-0.22, 0.12) * strength;
  const across = (random.real(-0.22, 0.22) * strength) / IMAGE_SIZE;
  const down = (random.real(-0.22, 0.22) * strength) / IMAGE_SIZE;
  const tint = [random.real(-8, 8), 0, random.real(-8, 8)].map((value) => value * strength);
  const grain = random.real(0, 16) * strength;
  const rgb = new Uint8ClampedArray(IMAGE_SIZE * IMAGE_SIZE * 3);
  let state = random.int(1, 0x7fffffff);
  for (let y = 0, from = 0, to = 0; y < IMAGE_SIZE; y++) {
    for (let x = 0; x < IMAGE_SIZE; x++, from += 4) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      const noise = ((state & 255) + ((state >>> 8) & 255) - 255) * (grain / 255);
      const factor = gain + across * (x - IMAGE_SIZE / 2) + down * (y - IMAGE_SIZE / 2);
      for (let k = 0; k < 3; k++) rgb[to++] = (rgba[from + k] as number) * factor + (tint[k] as number) + noise;
    }
  }
  return new Uint8Array(rgb.buffer);
}

function cut({ x, y, w, h }: Box): Box {
  const left = Math.max(0, x);
  const top = Math.max(0, y);
  return { x: left, y: top, w: Math.min(IMAGE_SIZE, x + w) - left, h: Math.min(IMAGE_SIZE, y + h) - top };
}

/** The corners of a box seen a little from the side: turned by up to `turn` radians and with uneven sides. */
export function seenFromAside(random: Random, { x, y, w, h }: Box, amount: number): Quad {
  const turn = random.real(-0.12, 0.12) * amount;
  const middle = { x: x + w / 2, y: y + h / 2 };
  const depth = random.real(-0.16, 0.16) * amount;
  const tilt = random.real(-0.1, 0.1) * amount;
  const corner = (sx: number, sy: number) => {
    const dx = (sx * w * (1 + sy * tilt) * (1 - Math.abs(depth) * 0.6)) / 2;
    const dy = (sy * h * (1 + sx * depth)) / 2;
    return {
      x: middle.x + dx * Math.cos(turn) - dy * Math.sin(turn),
      y: middle.y + dx * Math.sin(turn) + dy * Math.cos(turn),
    };
  };
  return [corner(-1, -1), corner(1, -1), corner(1, 1), corner(-1, 1)];
}
