import type { SKRSContext2D } from '@napi-rs/canvas';
import { shift } from './colours.js';
import { IMAGE_SIZE as S } from './drawn-sample.js';
import type { Random } from './random.js';

/** Paints the whole image as a place. */
export type Backdrop = (context: SKRSContext2D, random: Random) => void;

function gradient(c: SKRSContext2D, y0: number, y1: number, top: string, bottom: string): void {
  const g = c.createLinearGradient(0, y0, 0, y1);
  g.addColorStop(0, top);
  g.addColorStop(1, bottom);
  c.fillStyle = g;
  c.fillRect(0, y0, S, y1 - y0);
}

function cloud(c: SKRSContext2D, x: number, y: number, r: number): void {
  c.fillStyle = 'rgba(255,255,255,0.8)';
  for (const [dx, dy, k] of [
    [0, 0, 1],
    [-1, 0.3, 0.7],
    [1, 0.3, 0.75],
  ] as const) {
    // prettier-ignore
    c.beginPath();
    c.arc(x + dx * r, y + dy * r, r * k, 0, 7);
    c.fill();
  }
}

/** Sky with some clouds. */
export const sky: Backdrop = (c, random) => {
  const blue = random.pick(['#6fb1e8', '#8fc6ee', '#a9c4d8', '#f0b48a', '#5b7fb5']);
  gradient(c, 0, S, blue, shift(blue, 0.6));
  for (let i = random.int(1, 4); i > 0; i--) cloud(c, random.real(0, S), random.real(10, S * 0.8), random.real(10, 24));
};

/** Houses along a road. */
export const street: Backdrop = (c, random) => {
  sky(c, random);
  let x = -20;
  while (x < S) {
    const w = random.real(45, 85);
    const top = random.real(30, 120);
    const wall = random.pick(['#a7a29a', '#c7b299', '#8d7b6c', '#9fb0b8', '#b77d66', '#7d8794']);
    c.fillStyle = wall;
    c.fillRect(x, top, w, S);
    c.fillStyle = shift(wall, -0.4);
    for (let wy = top + 12; wy < 185; wy += 26)
      for (let wx = x + 8; wx < x + w - 12; wx += 20) c.fillRect(wx, wy, 10, 14);
    x += w;
  }
  gradient(c, 196, 214, '#b8b4ac', '#9d9a94');
  gradient(c, 214, S, '#5c5f63', '#47494d');
  c.fillStyle = '#e8e4c9';
  for (let i = 0; i < 4; i++) c.fillRect(i * 75 + 8, 234, 42, 4);
};

/** Grass with trees under a sky. */
export const park: Backdrop = (c, random) => {
  sky(c, random);
  const horizon = random.real(110, 160);
  for (let i = random.int(1, 4); i > 0; i--) {
    const x = random.real(0, S);
    const r = random.real(18, 34);
    c.fillStyle = '#6b4a2f';
    c.fillRect(x - 4, horizon - 20, 8, 34);
    c.beginPath();
    c.arc(x, horizon - 20 - r / 2, r, 0, 7);
    c.fillStyle = random.pick(['#3f7d3a', '#4f8f46', '#2f6b3a']);
    c.fill();
  }
  const green = random.pick(['#6aa84f', '#7cb342', '#5c9a48', '#8bad55']);
  gradient(c, horizon, S, shift(green, 0.15), shift(green, -0.2));
  c.strokeStyle = shift(green, -0.3);
  c.lineWidth = 1.5;
  c.beginPath();
  for (let i = 0; i < 40; i++) {
    const x = random.real(0, S);
    const y = random.real(horizon + 8, S);
    c.moveTo(x, y);
    c.lineTo(x + 2, y - 6);
  }
  c.stroke();
};

/** A wall of bricks, tiles or plaster. */
export const wall: Backdrop = (c, random) => {
  const tone = random.pick(['#b5654a', '#c9c2b4', '#9fb3b8', '#d8d0bf', '#8c6d5c', '#cdd5cf']);
  c.fillStyle = tone;
  c.fillRect(0, 0, S, S);
  if (random.chance(0.65)) {
    const h = random.pick([16, 22, 30]);
    c.strokeStyle = shift(tone, random.chance(0.5) ? 0.3 : -0.2);
    c.lineWidth = 2;
    c.beginPath();
    for (let row = 0; row * h < S; row++) {
      c.moveTo(0, row * h);
      c.lineTo(S, row * h);
      for (let x = (row % 2) * h; x < S; x += h * 2) {
        c.moveTo(x, row * h);
        c.lineTo(x, row * h + h);
      }
    }
    c.stroke();
  }
  gradient(c, S - 26, S, shift(tone, -0.5), shift(tone, -0.6));
};

/** A table in a room. */
export const table: Backdrop = (c, random) => {
  const room = random.pick(['#dcd3c3', '#bccad0', '#e4dcc8', '#c8bfd0', '#b7c4b1', '#8f9aa3']);
  gradient(c, 0, 170, shift(room, 0.15), room);
  if (random.chance(0.5)) {
    const x = random.real(0, 180);
    c.fillStyle = '#f7f7f2';
    c.fillRect(x, 14, 72, 84);
    c.fillStyle = '#a9d3ef';
    c.fillRect(x + 6, 20, 28, 72);
    c.fillRect(x + 38, 20, 28, 72);
  }
  const wood = random.pick(['#9a6b3f', '#7b4f2c', '#b98a56', '#d4b483']);
  gradient(c, 170, S, wood, shift(wood, -0.25));
  c.strokeStyle = shift(wood, -0.3);
  c.lineWidth = 1;
  c.beginPath();
  for (let y = 176; y < S; y += 14) {
    c.moveTo(0, y + random.real(-2, 2));
    c.lineTo(S, y + random.real(-2, 2));
  }
  c.stroke();
};

/** A shelf in a shop, its plank at two thirds of the height. */
export const shelf: Backdrop = (c, random) => {
  const back = random.pick(['#d9d2c4', '#aeb6bb', '#e6e2d8', '#6f5a48']);
  gradient(c, 0, S, shift(back, -0.15), back);
  const plank = random.pick(['#8a5a33', '#c9c9c9', '#5a5f63', '#b98a56']);
  for (const y of [18, 214]) {
    c.fillStyle = plank;
    c.fillRect(0, y, S, 14);
    c.fillStyle = 'rgba(0,0,0,0.3)';
    c.fillRect(0, y + 14, S, 6);
  }
};

/** Open water under a sky. */
export const water: Backdrop = (c, random) => {
  sky(c, random);
  const horizon = random.real(80, 130);
  const sea = random.pick(['#2f7fb5', '#3a9ab0', '#2b6a9e', '#4aa3c7']);
  gradient(c, horizon, S, shift(sea, 0.25), shift(sea, -0.2));
  c.strokeStyle = 'rgba(255,255,255,0.45)';
  c.lineWidth = 2;
  c.beginPath();
  for (let i = 0; i < 26; i++) {
    const x = random.real(-10, S);
    const y = random.real(horizon + 8, S);
    c.moveTo(x, y);
    c.quadraticCurveTo(x + 8, y - 5, x + 16, y);
  }
  c.stroke();
};

/** Sand under a sky. */
export const sand: Backdrop = (c, random) => {
  sky(c, random);
  const horizon = random.real(110, 160);
  gradient(c, horizon, S, '#ecd6a0', '#d4b578');
  c.fillStyle = '#b99a60';
  for (let i = 0; i < 60; i++) c.fillRect(random.real(0, S), random.real(horizon + 4, S), 2, 2);
};
