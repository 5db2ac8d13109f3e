import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { GlobalFonts } from '@napi-rs/canvas';
import { WorldError } from './world-error.js';

const FAMILIES = [
  'alfa-slab-one',
  'anton',
  'archivo-black',
  'barlow-condensed',
  'bebas-neue',
  'bitter',
  'courier-prime',
  'fira-sans',
  'inter',
  'josefin-sans',
  'lato',
  'libre-baskerville',
  'merriweather',
  'montserrat',
  'nunito',
  'open-sans',
  'oswald',
  'overpass',
  'playfair-display',
  'poppins',
  'pt-serif',
  'raleway',
  'roboto',
  'roboto-mono',
  'roboto-slab',
  'rubik',
  'russo-one',
  'source-code-pro',
  'ubuntu',
  'work-sans',
] as const;

const WEIGHTS = [400, 700] as const;

const require = createRequire(import.meta.url);
let faces: readonly string[] | undefined;

/** The faces to draw with, named `family-weight`, registered on first use; never a font of the machine. */
export function fontFaces(): readonly string[] {
  faces ??= FAMILIES.flatMap(register);
  return faces;
}

/** Faces of plain, regular letters, for the small text of charts. */
export function plainFaces(): readonly string[] {
  const plain =
    /^(barlow-condensed|fira-sans|oswald|inter|lato|montserrat|nunito|open-sans|overpass|poppins|roboto|roboto-slab|ubuntu|work-sans|bitter|pt-serif)-/;
  return fontFaces().filter((face) => plain.test(face));
}

function register(family: string): string[] {
  const folder = join(dirname(require.resolve(`@fontsource/${family}/package.json`)), 'files');
  const registered: string[] = [];
  for (const weight of WEIGHTS) {
    const file = join(folder, `${family}-latin-${weight}-normal.woff2`);
    if (!existsSync(file)) continue;
    const face = `${family}-${weight}`;
    if (!GlobalFonts.registerFromPath(file, face)) {
      throw new WorldError(`cannot read the font ${file}; install the dependencies again with npm ci`);
    }
    registered.push(face);
  }
  if (registered.length === 0)
    throw new WorldError(`@fontsource/${family} has no Latin face; install it again with npm ci`);
  return registered;
}
