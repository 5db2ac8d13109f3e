import { createRequire } from 'node:module';
import { createCanvas, loadImage, type Canvas } from '@napi-rs/canvas';
import { WorldError } from './world-error.js';

/** The icon sets that objects are drawn from; each is a style. */
export const ICON_STYLES = ['fluent-emoji-flat', 'noto', 'twemoji'] as const;

/** The name of an icon set. */
export type IconStyle = (typeof ICON_STYLES)[number];

interface IconSet {
  width: number;
  height: number;
  icons: Record<string, { body: string; width?: number; height?: number }>;
  aliases?: Record<string, { parent: string }>;
}

/** Pixels at which icons are kept; they are drawn smaller. */
const KEPT_SIZE = 192;

const require = createRequire(import.meta.url);
const sets = new Map<IconStyle, IconSet>();
const kept = new Map<string, Promise<Canvas>>();

/** Whether the style has an icon of that name. */
export function hasIcon(style: IconStyle, name: string): boolean {
  return bodyOf(style, name) !== undefined;
}

/** An icon as a transparent square canvas; rasterised once. Throws `WorldError` when the style has no such icon. */
export function iconCanvas(style: IconStyle, name: string): Promise<Canvas> {
  const key = `${style}:${name}`;
  let canvas = kept.get(key);
  if (!canvas) {
    canvas = rasterise(style, name);
    kept.set(key, canvas);
  }
  return canvas;
}

async function rasterise(style: IconStyle, name: string): Promise<Canvas> {
  const body = bodyOf(style, name);
  if (body === undefined)
    throw new WorldError(`the icon set ${style} has no icon ${name}; install the dependencies again with npm ci`);
  const { width, height } = iconSet(style);
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="${KEPT_SIZE}" height="${KEPT_SIZE}" viewBox="0 0 ${width} ${height}">${body}</svg>`;
  const image = await loadImage(Buffer.from(svg));
  const canvas = createCanvas(KEPT_SIZE, KEPT_SIZE);
  canvas.getContext('2d').drawImage(image, 0, 0, KEPT_SIZE, KEPT_SIZE);
  return canvas;
}

function bodyOf(style: IconStyle, name: string): string | undefined {
  const { icons, aliases } = iconSet(style);
  return (icons[name] ?? icons[aliases?.[name]?.parent ?? ''])?.body;
}

function iconSet(style: IconStyle): IconSet {
  let set = sets.get(style);
  if (!set) {
    set = require(`@iconify-json/${style}/icons.json`) as IconSet;
    sets.set(style, set);
  }
  return set;
}
