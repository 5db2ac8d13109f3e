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

/** An image in the making: a backdrop, then layers seen in perspective, then the camera's flaws. */
export class Stage {
  readonly canvas: Canvas = createCanvas(IMAGE_SIZE, IMAGE_SIZE);
  readonly context: SKRSContext2D = this.canvas.getContext('2d');
  private readonly texts: DrawnText[] = [];

  /** Draws a layer (transparent, `w` x `h`) into a quad of the image, with the texts on it. */
  place(layer: Canvas, quad: Quad, texts: readonly DrawnText[]): void {
    const { width, height } = layer;
    const map = homography(width, height, quad);
    const scene = this.context.getImageData(0, 0, IMAGE_SIZE, IMAGE_SIZE);
    warpOnto(scene, layer.getContext('2d').getImageData(0, 0, width, height), map, boxAround(quad));
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

  /** Uneven light, a slight blur and grain, as much as `strength` (0 to 1). */
  photograph(random: Random, strength = 1): void {
    const blur = random.chance(0.6) ? random.real(0.2, 1.1) * strength : 0;
    if (blur > 0.25) {
      const sharp = createCanvas(IMAGE_SIZE, IMAGE_SIZE);
      sharp.getContext('2d').drawImage(this.canvas, 0, 0);
      this.context.filter = `blur(${blur.toFixed(2)}px)`;
      this.context.drawImage(sharp, 0, 0);
      this.context.filter = 'none';
    }
    const picture = this.context.getImageData(0, 0, IMAGE_SIZE, IMAGE_SIZE);
    light(picture.data, random, strength);
    this.context.putImageData(picture, 0, 0);
  }
}

function light(data: Uint8ClampedArray, random: Random, strength: number): void {
  const gain = 1 + random.real(-0.22, 0.12) * strength;
  const across = (random.real(-0.22, 0.22) * strength) / IMAGE_SIZE;
  const down = (random.real(-0.22, 0.22) * strength) / IMAGE_SIZE;
  const tint = [random.real(-8, 8), 0, random.real(-8, 8)].map((value) => value * strength);
  const grain = random.real(0, 16) * strength;
  let state = random.int(1, 0x7fffffff);
  for (let y = 0, at = 0; y < IMAGE_SIZE; y++) {
    for (let x = 0; x < IMAGE_SIZE; x++, at += 4) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      const noise = ((state & 255) + ((state >>> 8) & 255) - 255) * (grain / 255);
      const factor = gain + across * (x - IMAGE_SIZE / 2) + down * (y - IMAGE_SIZE / 2);
      for (let k = 0; k < 3; k++) data[at + k] = (data[at + k] ?? 0) * factor + (tint[k] ?? 0) + noise;
      data[at + 3] = 255;
    }
  }
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
