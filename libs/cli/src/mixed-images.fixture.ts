import { chmodSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import sharp from 'sharp';

/**
 * Fills a folder with unusual images that can be used, and with what cannot.
 *
 * @returns how many can be used, and the others by the reason why they have to be skipped
 */
export async function writeMixedImages(folder: string): Promise<{ usable: number; skipped: Record<string, number> }> {
  const photo = sharp({ create: { width: 300, height: 200, channels: 3, background: 'teal' } });
  const jpeg = await photo.clone().jpeg().withMetadata({ orientation: 6 }).toBuffer();
  const png = await photo.clone().png().toBuffer();
  const usable = {
    'rotated.jpg': jpeg,
    'cmyk.jpg': await photo.clone().toColourspace('cmyk').jpeg().toBuffer(),
    'cmyk.tif': await photo.clone().toColourspace('cmyk').tiff().toBuffer(),
    '16-bit.png': await photo.clone().toColourspace('rgb16').png().toBuffer(),
    'animated.gif': await animation(),
    'one.png': await sharp(Buffer.of(255, 0, 0, 99), { raw: { width: 1, height: 1, channels: 4 } })
      .png()
      .toBuffer(),
  };
  const unusable = {
    'truncated.jpg': jpeg.subarray(0, jpeg.length / 2),
    'text.png': 'this is no picture\n',
    'bomb.png': enlarged(png, 30_000, 30_000),
    'empty.png': '',
    'secret.png': png,
  };
  for (const [name, content] of Object.entries({ ...usable, ...unusable })) writeFileSync(join(folder, name), content);
  chmodSync(join(folder, 'secret.png'), 0);
  symlinkSync('.', join(folder, 'loop'));
  symlinkSync('nowhere', join(folder, 'broken.png'));
  const reasons = 'damaged not-an-image too-large empty unreadable-file symlink-loop broken-link'.split(' ');
  return { usable: Object.keys(usable).length, skipped: Object.fromEntries(reasons.map((reason) => [reason, 1])) };
}

/** Two frames, white and black. */
function animation(): Promise<Buffer> {
  const frames = Buffer.concat([Buffer.alloc(40 * 30 * 3, 255), Buffer.alloc(40 * 30 * 3)]);
  return sharp(frames, { raw: { width: 40, height: 60, channels: 3, pageHeight: 30 } })
    .gif({ delay: [100, 100] })
    .toBuffer();
}

/** A PNG whose header, sound in itself, claims another size. */
function enlarged(png: Buffer, width: number, height: number): Buffer {
  const file = Buffer.from(png);
  file.writeUInt32BE(width, 16);
  file.writeUInt32BE(height, 20);
  file.writeUInt32BE(crc32(file.subarray(12, 29)), 29); // of the chunk's type and data
  return file;
}
