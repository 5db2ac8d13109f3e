import type { SKRSContext2D } from '@napi-rs/canvas';
import { brightness, inkOn, shift, type Colour } from './colours.js';
import type { Box } from './geometry.js';
import type { Random } from './random.js';

/** Where a prop takes its text, and the colour to write in. */
export interface Lettering {
  area: Box;
  ink: string;
}

/** A thing with writing on it. */
export interface Prop {
  /** What questions call it. */
  noun: string;
  /** Width / height that it looks right at. */
  aspect: number;
  /** What is written on such a thing. */
  writing: readonly ('word' | 'number')[];
  /** Colours it comes in; all when left out. */
  colours?: readonly string[];
  /** Draws it to fill (0, 0, w, h) of a transparent layer. */
  draw(context: SKRSContext2D, w: number, h: number, colour: Colour, random: Random): Lettering;
}

function rounded(c: SKRSContext2D, box: Box, radius: number, fill: string, stroke?: string, line = 3): void {
  c.beginPath();
  c.roundRect(box.x, box.y, box.w, box.h, radius);
  c.fillStyle = fill;
  c.fill();
  if (!stroke) return;
  c.strokeStyle = stroke;
  c.lineWidth = line;
  c.stroke();
}

function polygon(
  c: SKRSContext2D,
  points: readonly (readonly [number, number])[],
  fill: string,
  stroke?: string,
): void {
  c.beginPath();
  points.forEach(([x, y], i) => (i === 0 ? c.moveTo(x, y) : c.lineTo(x, y)));
  c.closePath();
  c.fillStyle = fill;
  c.fill();
  if (!stroke) return;
  c.strokeStyle = stroke;
  c.lineWidth = 4;
  c.stroke();
}

function sheen(c: SKRSContext2D, box: Box, across: boolean): void {
  const shade = across
    ? c.createLinearGradient(box.x, 0, box.x + box.w, 0)
    : c.createLinearGradient(0, box.y, 0, box.y + box.h);
  shade.addColorStop(0, 'rgba(0,0,0,0.28)');
  shade.addColorStop(0.3, 'rgba(255,255,255,0.22)');
  shade.addColorStop(0.7, 'rgba(0,0,0,0.02)');
  shade.addColorStop(1, 'rgba(0,0,0,0.32)');
  c.fillStyle = shade;
  c.fillRect(box.x, box.y, box.w, box.h);
}

const boardOnPost: Prop = {
  noun: 'sign',
  aspect: 1.5,
  writing: ['word', 'word', 'number'],
  draw(c, w, h, colour, random) {
    const board = { x: 3, y: 3, w: w - 6, h: h * 0.56 };
    const post = random.pick(['#6b6f73', '#8b9094', '#7a5230']);
    const posts = random.chance(0.5) ? [0.5] : [0.2, 0.8];
    c.fillStyle = post;
    for (const at of posts) c.fillRect(w * at - 5, board.h * 0.8, 10, h);
    const ink = inkOn(random, colour.hex);
    rounded(c, board, random.pick([2, 8, 16]), colour.hex, random.chance(0.7) ? ink : shift(colour.hex, -0.4), 4);
    return { area: inset(board, 0.08, 0.16), ink };
  },
};

const diamond: Prop = {
  noun: 'road sign',
  aspect: 1,
  writing: ['word', 'number'],
  colours: ['yellow', 'orange', 'white'],
  draw(c, w, h, colour) {
    c.fillStyle = '#777b80';
    c.fillRect(w / 2 - 5, h * 0.5, 10, h * 0.5);
    const m = h * 0.43;
    polygon(
      c,
      [
        [w / 2, 3],
        [w - 3, m],
        [w / 2, m * 2 - 3],
        [3, m],
      ],
      colour.hex,
      '#151515',
    );
    return { area: { x: w * 0.17, y: m - h * 0.14, w: w * 0.66, h: h * 0.28 }, ink: '#111111' };
  },
};

const octagon: Prop = {
  noun: 'road sign',
  aspect: 1,
  writing: ['word'],
  colours: ['red', 'blue', 'green'],
  draw(c, w, h, colour) {
    c.fillStyle = '#777b80';
    c.fillRect(w / 2 - 5, h * 0.5, 10, h * 0.5);
    const r = w * 0.48;
    const corner = (i: number): [number, number] => [
      w / 2 + r * Math.cos((i + 0.5) * (Math.PI / 4)),
      h * 0.46 + r * 0.95 * Math.sin((i + 0.5) * (Math.PI / 4)),
    ];
    polygon(c, [0, 1, 2, 3, 4, 5, 6, 7].map(corner), colour.hex, '#ffffff');
    return { area: { x: w * 0.1, y: h * 0.28, w: w * 0.8, h: h * 0.36 }, ink: '#ffffff' };
  },
};

const shop: Prop = {
  noun: 'shop',
  aspect: 1.05,
  writing: ['word'],
  draw(c, w, h, colour, random) {
    const wall = random.pick(['#d8cbb5', '#b9b2a7', '#c9d3d8', '#a5624a']);
    c.fillStyle = wall;
    c.fillRect(0, 0, w, h);
    const board = { x: 4, y: h * 0.06, w: w - 8, h: h * 0.27 };
    rounded(c, board, 3, colour.hex, shift(colour.hex, -0.5), 2);
    const awning = [colour.hex === '#ffffff' ? '#b71c1c' : shift(colour.hex, 0.25), '#ffffff'];
    const stripes = 9;
    for (let i = 0; i < stripes; i++) {
      c.fillStyle = awning[i % 2] ?? '#ffffff';
      c.fillRect(4 + (i * (w - 8)) / stripes, h * 0.35, (w - 8) / stripes, h * 0.11);
    }
    c.fillStyle = '#3d4f5c';
    c.fillRect(w * 0.07, h * 0.5, w * 0.5, h * 0.38);
    c.fillStyle = 'rgba(255,255,255,0.25)';
    polygon(
      c,
      [
        [w * 0.15, h * 0.5],
        [w * 0.3, h * 0.5],
        [w * 0.18, h * 0.88],
        [w * 0.07, h * 0.88],
      ],
      'rgba(255,255,255,0.25)',
    );
    c.fillStyle = '#5b4030';
    c.fillRect(w * 0.66, h * 0.5, w * 0.26, h * 0.5);
    c.fillStyle = '#d9b44a';
    c.fillRect(w * 0.69, h * 0.74, 5, 5);
    return { area: inset(board, 0.05, 0.13), ink: inkOn(random, colour.hex) };
  },
};

const bottle: Prop = {
  noun: 'bottle',
  aspect: 0.72,
  writing: ['word'],
  draw(c, w, h, colour, random) {
    const glass = colour.hex;
    const paper = random.pick(brightness(glass) > 0.6 ? ['#16324f', '#7a1f1f', '#161616'] : ['#fbf8ec', '#fff2b0']);
    rounded(c, { x: w * 0.36, y: h * 0.07, w: w * 0.28, h: h * 0.32 }, 4, glass);
    rounded(c, { x: w * 0.02, y: h * 0.3, w: w * 0.96, h: h * 0.69 }, w * 0.16, glass);
    rounded(c, { x: w * 0.34, y: 1, w: w * 0.32, h: h * 0.09 }, 3, random.pick(['#c0392b', '#e0e0e0', '#222222']));
    sheen(c, { x: w * 0.1, y: h * 0.36, w: w * 0.8, h: h * 0.56 }, true);
    const label = { x: w * 0.02, y: h * 0.46, w: w * 0.96, h: h * 0.36 };
    c.fillStyle = paper;
    c.fillRect(label.x, label.y, label.w, label.h);
    c.fillStyle = shift(paper, -0.35);
    c.fillRect(label.x, label.y, label.w, 4);
    c.fillRect(label.x, label.y + label.h - 4, label.w, 4);
    return { area: inset(label, 0.05, 0.2), ink: inkOn(random, paper) };
  },
};

const can: Prop = {
  noun: 'can',
  aspect: 0.78,
  writing: ['word', 'number'],
  draw(c, w, h, colour, random) {
    rounded(c, { x: 2, y: h * 0.03, w: w - 4, h: h * 0.94 }, w * 0.1, '#b9bec2');
    const body = { x: 2, y: h * 0.11, w: w - 4, h: h * 0.78 };
    c.fillStyle = colour.hex;
    c.fillRect(body.x, body.y, body.w, body.h);
    c.fillStyle = shift(colour.hex, brightness(colour.hex) > 0.5 ? -0.3 : 0.4);
    c.fillRect(body.x, h * 0.2, body.w, h * 0.05);
    c.fillRect(body.x, h * 0.74, body.w, h * 0.05);
    sheen(c, body, true);
    return { area: { x: w * 0.07, y: h * 0.32, w: w * 0.86, h: h * 0.34 }, ink: inkOn(random, colour.hex) };
  },
};

const box: Prop = {
  noun: 'box',
  aspect: 1.1,
  writing: ['word', 'number'],
  draw(c, w, h, colour, random) {
    const lid = h * 0.17;
    const side = w * 0.1;
    const front = { x: 2, y: lid, w: w - side - 4, h: h - lid - 2 };
    polygon(c, [[2, lid], [side, 2], [w - 2, 2], [w - side, lid]], shift(colour.hex, 0.25)); // prettier-ignore
    polygon(c, [[w - side - 2, lid], [w - 2, 2], [w - 2, h - lid], [w - side - 2, h - 2]], shift(colour.hex, -0.35)); // prettier-ignore
    c.fillStyle = colour.hex;
    c.fillRect(front.x, front.y, front.w, front.h);
    c.fillStyle = shift(colour.hex, -0.2);
    c.fillRect(front.x, front.y + front.h * 0.84, front.w, front.h * 0.05);
    const area = { x: front.x, y: front.y + front.h * 0.22, w: front.w, h: front.h * 0.44 };
    return { area: inset(area, 0.06, 0.05), ink: inkOn(random, colour.hex) };
  },
};

const book: Prop = {
  noun: 'book',
  aspect: 0.82,
  writing: ['word'],
  draw(c, w, h, colour, random) {
    c.fillStyle = '#e9e4d4';
    c.fillRect(w * 0.04, 4, w * 0.95, h - 5);
    rounded(c, { x: 2, y: 2, w: w * 0.94, h: h - 8 }, 4, colour.hex);
    c.fillStyle = shift(colour.hex, -0.35);
    c.fillRect(2, 2, w * 0.06, h - 8);
    const ink = inkOn(random, colour.hex);
    c.strokeStyle = ink;
    c.lineWidth = 2;
    c.strokeRect(w * 0.11, h * 0.06, w * 0.8, h * 0.85);
    if (random.chance(0.6)) {
      c.beginPath();
      c.arc(w * 0.51, h * 0.69, w * 0.14, 0, 7);
      c.fillStyle = shift(colour.hex, brightness(colour.hex) > 0.5 ? -0.4 : 0.5);
      c.fill();
    }
    return { area: { x: w * 0.14, y: h * 0.17, w: w * 0.74, h: h * 0.28 }, ink };
  },
};

const bus: Prop = {
  noun: 'bus',
  aspect: 1.3,
  writing: ['word', 'number'],
  draw(c, w, h, colour, random) {
    rounded(c, { x: 2, y: 2, w: w - 4, h: h * 0.86 }, 14, colour.hex, shift(colour.hex, -0.5), 2);
    const display = { x: w * 0.08, y: h * 0.05, w: w * 0.84, h: h * 0.25 };
    rounded(c, display, 3, '#0b0b0b');
    rounded(c, { x: w * 0.06, y: h * 0.34, w: w * 0.88, h: h * 0.3 }, 8, '#5d7686');
    c.fillStyle = 'rgba(255,255,255,0.3)';
    c.fillRect(w * 0.12, h * 0.36, w * 0.14, h * 0.26);
    c.fillStyle = shift(colour.hex, -0.5);
    c.fillRect(w * 0.49, h * 0.34, w * 0.02, h * 0.3);
    for (const at of [0.13, 0.87]) {
      c.beginPath();
      c.arc(w * at, h * 0.75, h * 0.05, 0, 7);
      c.fillStyle = '#fff6c8';
      c.fill();
      c.fillStyle = '#191919';
      c.fillRect(w * at - w * 0.06, h * 0.87, w * 0.12, h * 0.12);
    }
    return { area: inset(display, 0.04, 0.14), ink: random.pick(['#ffb300', '#ffffff', '#ffe14d']) };
  },
};

const jersey: Prop = {
  noun: 'jersey',
  aspect: 1.05,
  writing: ['number', 'number', 'word'],
  draw(c, w, h, colour, random) {
    const dark = shift(colour.hex, -0.3);
    polygon(c, [[w * 0.3, 3], [w * 0.02, h * 0.25], [w * 0.1, h * 0.46], [w * 0.24, h * 0.36]], dark); // prettier-ignore
    polygon(c, [[w * 0.7, 3], [w * 0.98, h * 0.25], [w * 0.9, h * 0.46], [w * 0.76, h * 0.36]], dark); // prettier-ignore
    polygon(c, [[w * 0.3, 3], [w * 0.7, 3], [w * 0.86, h * 0.3], [w * 0.84, h - 3], [w * 0.16, h - 3], [w * 0.14, h * 0.3]], colour.hex); // prettier-ignore
    c.beginPath();
    c.ellipse(w / 2, 3, w * 0.12, h * 0.09, 0, 0, Math.PI);
    c.fillStyle = dark;
    c.fill();
    return { area: { x: w * 0.19, y: h * 0.24, w: w * 0.62, h: h * 0.42 }, ink: inkOn(random, colour.hex) };
  },
};

const plate: Prop = {
  noun: 'car',
  aspect: 1.7,
  writing: ['number', 'word'],
  draw(c, w, h, colour, random) {
    rounded(c, { x: 0, y: 0, w, h: h * 0.97 }, 18, colour.hex);
    c.fillStyle = shift(colour.hex, -0.35);
    c.fillRect(0, h * 0.72, w, h * 0.06);
    for (const x of [0.02, 0.86]) rounded(c, { x: w * x, y: h * 0.08, w: w * 0.12, h: h * 0.16 }, 6, '#e53935');
    const board = { x: w * 0.1, y: h * 0.28, w: w * 0.8, h: h * 0.42 };
    const ground = random.pick(['#fdfdf5', '#ffe45c', '#dfeaff']);
    rounded(c, board, 6, ground, '#222222', 3);
    return { area: inset(board, 0.06, 0.16), ink: random.pick(['#111111', '#0d2c6b']) };
  },
};

const door: Prop = {
  noun: 'door',
  aspect: 0.72,
  writing: ['number'],
  draw(c, w, h, colour, random) {
    c.fillStyle = '#ece6d8';
    c.fillRect(0, 0, w, h);
    const leaf = { x: w * 0.05, y: h * 0.04, w: w * 0.9, h: h * 0.96 };
    c.fillStyle = colour.hex;
    c.fillRect(leaf.x, leaf.y, leaf.w, leaf.h);
    c.strokeStyle = shift(colour.hex, -0.4);
    c.lineWidth = 3;
    for (const [x, y, hh] of [[0.14, 0.46, 0.46], [0.53, 0.46, 0.46]] as const) c.strokeRect(w * x, h * y, w * 0.33, h * hh); // prettier-ignore
    c.beginPath();
    c.arc(w * 0.87, h * 0.56, 6, 0, 7);
    c.fillStyle = '#d9b44a';
    c.fill();
    return { area: { x: w * 0.12, y: h * 0.1, w: w * 0.76, h: h * 0.3 }, ink: inkOn(random, colour.hex) };
  },
};

const chalkboard: Prop = {
  noun: 'board',
  aspect: 1.25,
  writing: ['word', 'number'],
  colours: ['black', 'green', 'white'],
  draw(c, w, h, colour, random) {
    c.strokeStyle = '#6d4c2f';
    c.lineWidth = 9;
    c.beginPath();
    c.moveTo(w * 0.25, h * 0.6);
    c.lineTo(w * 0.12, h);
    c.moveTo(w * 0.75, h * 0.6);
    c.lineTo(w * 0.88, h);
    c.stroke();
    const board = { x: 6, y: 6, w: w - 12, h: h * 0.72 };
    rounded(c, board, 3, colour.hex, random.pick(['#8d6236', '#b08d57', '#5b4030']), 10);
    return { area: inset(board, 0.09, 0.25), ink: brightness(colour.hex) > 0.5 ? '#1b1b1b' : '#f6f3e8' };
  },
};

const mug: Prop = {
  noun: 'mug',
  aspect: 1.15,
  writing: ['word'],
  draw(c, w, h, colour, random) {
    c.beginPath();
    c.arc(w * 0.82, h * 0.5, h * 0.23, 0, 7);
    c.strokeStyle = shift(colour.hex, -0.25);
    c.lineWidth = h * 0.08;
    c.stroke();
    const body = { x: 2, y: h * 0.06, w: w * 0.8, h: h * 0.9 };
    rounded(c, body, 14, colour.hex);
    c.beginPath();
    c.ellipse(body.x + body.w / 2, h * 0.09, body.w * 0.48, h * 0.06, 0, 0, 7);
    c.fillStyle = shift(colour.hex, -0.55);
    c.fill();
    sheen(c, { x: body.x + 6, y: h * 0.2, w: body.w - 12, h: h * 0.7 }, true);
    return { area: { x: w * 0.06, y: h * 0.3, w: w * 0.7, h: h * 0.4 }, ink: inkOn(random, colour.hex) };
  },
};

const poster: Prop = {
  noun: 'poster',
  aspect: 0.95,
  writing: ['word'],
  draw(c, w, h, colour, random) {
    c.fillStyle = colour.hex;
    c.fillRect(2, 2, w - 4, h - 4);
    const ink = inkOn(random, colour.hex);
    c.strokeStyle = ink;
    c.lineWidth = 3;
    c.strokeRect(8, 8, w - 16, h - 16);
    c.fillStyle = shift(colour.hex, brightness(colour.hex) > 0.5 ? -0.25 : 0.3);
    if (random.chance(0.5))
      polygon(c, [[w * 0.1, h * 0.93], [w * 0.4, h * 0.55], [w * 0.6, h * 0.75], [w * 0.75, h * 0.6], [w * 0.9, h * 0.93]], shift(colour.hex, -0.3)); // prettier-ignore
    else {
      c.beginPath();
      c.arc(w / 2, h * 0.74, w * 0.16, 0, 7);
      c.fill();
    }
    return { area: { x: w * 0.08, y: h * 0.13, w: w * 0.84, h: h * 0.36 }, ink };
  },
};

/** A plain board, for several on one post. */
export const board: Prop = {
  noun: 'sign',
  aspect: 3.4,
  writing: ['word', 'word', 'number'],
  draw(c, w, h, colour, random) {
    const face = { x: 2, y: 2, w: w - 4, h: h - 4 };
    const ink = inkOn(random, colour.hex);
    if (random.chance(0.4)) {
      polygon(c, [[2, 2], [w - h * 0.4, 2], [w - 2, h / 2], [w - h * 0.4, h - 2], [2, h - 2]], colour.hex, ink); // prettier-ignore
      return { area: { x: w * 0.04, y: h * 0.18, w: w * 0.8, h: h * 0.64 }, ink };
    }
    rounded(c, face, random.pick([2, 10]), colour.hex, ink, 3);
    return { area: inset(face, 0.05, 0.16), ink };
  },
};

/** Things seen in a street. */
export const STREET_PROPS: readonly Prop[] = [
  boardOnPost,
  diamond,
  octagon,
  shop,
  bus,
  plate,
  door,
  poster,
  chalkboard,
];

/** Things seen on a table or a shelf. */
export const TABLE_PROPS: readonly Prop[] = [bottle, can, box, book, mug];

/** Things seen in front of a wall. */
export const WALL_PROPS: readonly Prop[] = [poster, chalkboard, jersey, door, book];

function inset({ x, y, w, h }: Box, dx: number, dy: number): Box {
  return { x: x + w * dx, y: y + h * dy, w: w * (1 - 2 * dx), h: h * (1 - 2 * dy) };
}
