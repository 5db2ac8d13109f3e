import type { Random } from './random.js';

/** A colour that a person would name, as a CSS hex value. */
export interface Colour {
  name: string;
  hex: string;
}

const NAMED: Record<string, readonly string[]> = {
  red: ['#d32f2f', '#c1121f', '#e53935', '#b71c1c'],
  orange: ['#f57c00', '#fb8500', '#ff9800'],
  yellow: ['#fdd835', '#ffd60a', '#f4d03f'],
  green: ['#2e7d32', '#388e3c', '#1b7f4d', '#4caf50'],
  blue: ['#1565c0', '#1976d2', '#0d47a1', '#2a6fdb'],
  purple: ['#6a1b9a', '#7b1fa2', '#8e44ad'],
  pink: ['#ec407a', '#f06292', '#ff6fa5'],
  brown: ['#6d4c41', '#795548', '#5d4037'],
  black: ['#161616', '#222222', '#1a1a1a'],
  white: ['#fafafa', '#f4f4f0', '#ffffff'],
  gray: ['#8a8f94', '#9e9e9e', '#7d8388'],
};

/** Every colour name that the world uses. */
export const COLOUR_NAMES: readonly string[] = Object.keys(NAMED);

/** A shade of the named colour. */
export function shadeOf(random: Random, name: string): Colour {
  return { name, hex: random.pick(NAMED[name] ?? []) };
}

/** `count` shades of different names, from `names`. */
export function drawColours(random: Random, count: number, names = COLOUR_NAMES): Colour[] {
  return random.sample(names, count).map((name) => shadeOf(random, name));
}

/** The red, green and blue of a `#rrggbb` value, 0 to 255. */
export function channels(hex: string): [number, number, number] {
  const value = Number.parseInt(hex.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

const SHADES = Object.values(NAMED).flatMap((shades, name) => shades.map((hex) => ({ name, rgb: channels(hex) })));

/** Index in {@link COLOUR_NAMES} of the name whose nearest shade is nearest to a colour (channels 0 to 255). */
export function nearestColourName(r: number, g: number, b: number): number {
  let nearest = 0;
  let least = Infinity;
  for (const { name, rgb } of SHADES) {
    const distance = (rgb[0] - r) ** 2 + (rgb[1] - g) ** 2 + (rgb[2] - b) ** 2;
    if (distance < least) [nearest, least] = [name, distance];
  }
  return nearest;
}

/** Perceived brightness of a `#rrggbb` value, 0 to 1 (Rec. 601 weights). */
export function brightness(hex: string): number {
  const [r, g, b] = channels(hex);
  return (0.299 * r + 0.587 * g + 0.114 * b) / 255;
}

/** The colour made lighter (`amount` > 0, towards white) or darker (< 0, towards black). */
export function shift(hex: string, amount: number): string {
  const target = amount > 0 ? 255 : 0;
  const moved = channels(hex).map((c) => Math.round(c + (target - c) * Math.abs(amount)));
  return `#${moved.map((c) => c.toString(16).padStart(2, '0')).join('')}`;
}

/** An ink that stands out on the ground: mostly black or white, sometimes a strong colour. */
export function inkOn(random: Random, ground: string): string {
  const light = brightness(ground);
  const inks = light > 0.6 ? ['#111111', '#0d2c6b', '#8b0000', '#14532d'] : ['#ffffff', '#fff8dc', '#ffe14d'];
  const readable = inks.filter((ink) => Math.abs(brightness(ink) - light) > 0.42);
  const plain = light > 0.5 ? '#111111' : '#ffffff';
  return random.chance(0.6) || readable.length === 0 ? plain : random.pick(readable);
}
