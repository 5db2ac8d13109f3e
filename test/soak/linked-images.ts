import { linkSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';

const IN_FOLDER = 1_000;
/** File systems allow a file 65,000 names or so. */
const NAMES = 20_000;

/** Fills `folder` with `count` images in folders of a thousand: small ones, each under many names. */
export async function writeLinkedImages(folder: string, count: number): Promise<void> {
  for (let from = 0; from < count; from += NAMES) {
    const first = join(folder, `${from / IN_FOLDER}`, `${from}.png`);
    for (let i = from; i < Math.min(count, from + NAMES); i++) {
      const inFolder = join(folder, String(Math.floor(i / IN_FOLDER)));
      if (i % IN_FOLDER === 0) mkdirSync(inFolder, { recursive: true });
      if (i === from)
        await sharp({ create: { width: 16, height: 16, channels: 3, background: '#4080c0' } }).png().toFile(first); // prettier-ignore
      else linkSync(first, join(inFolder, `${i}.png`));
    }
  }
}
