import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ImageStore } from '@mpa/storage';
import sharp, { type Sharp } from 'sharp';
import { afterAll, describe, expect, it } from 'vitest';
import { remoteImage } from './remote-image.js';

const work = mkdtempSync(join(tmpdir(), 'mpa-remote-image-'));
afterAll(() => rmSync(work, { recursive: true }));

const images = { longestSide: 64, byUrl: false };
const drawn = (width: number, height: number): Sharp =>
  sharp({ create: { width, height, channels: 3, background: 'red' } });

async function sent(bytes: Buffer, options = images): Promise<{ type: string; bytes: Buffer }> {
  const { url } = await remoteImage({ source: { case: 'data', value: bytes } }, options, {
    images: new ImageStore(),
    sampleId: 's',
  });
  const [, type, base64] = /^data:image\/(\w+);base64,(.+)$/.exec(url)!;
  return { type: type!, bytes: Buffer.from(base64!, 'base64') };
}

describe('remoteImage', () => {
  it.each(['png', 'jpeg', 'webp'] as const)('sends a small %s as it is', async (format) => {
    const bytes = await drawn(64, 20).toFormat(format).toBuffer();
    const { type, bytes: same } = await sent(bytes);
    expect(type).toBe(format);
    expect(same.equals(bytes)).toBe(true);
  });

  it('scales a large one down to the longest side', async () => {
    const { type, bytes } = await sent(await drawn(50, 200).jpeg().toBuffer());
    expect(await sharp(bytes).metadata()).toMatchObject({ format: type, width: 16, height: 64 });
    expect(type).toBe('jpeg');
  });

  it('sends what a model here would see of one that is turned, transparent or of another format', async () => {
    const turned = await sent(await drawn(20, 10).jpeg().withMetadata({ orientation: 6 }).toBuffer());
    const upright = await sharp(turned.bytes).metadata();
    expect([upright.width, upright.height, upright.orientation ?? 1]).toEqual([10, 20, 1]);
    const clear = await sent(
      await sharp(Uint8Array.of(9, 8, 7, 0), { raw: { width: 1, height: 1, channels: 4 } })
        .png()
        .toBuffer(),
    );
    expect([...(await sharp(clear.bytes).raw().toBuffer()).subarray(0, 3)]).toEqual([9, 8, 7]);
    expect((await sent(await drawn(4, 4).tiff().toBuffer())).type).toBe('png');
  });

  it('refuses what is no image before anybody is asked about it', async () => {
    await expect(sent(Buffer.from('text'))).rejects.toMatchObject({ reason: 'not-an-image' });
  });

  it('sends a web address only when it is told to, of allowed hosts only', async () => {
    const byUrl = { ...images, byUrl: true };
    const at = (value: string): ReturnType<typeof remoteImage> =>
      remoteImage({ source: { case: 'uri', value } }, byUrl, {
        images: new ImageStore({ allowHosts: ['example.com'] }),
        sampleId: 's',
      });
    expect((await at('https://example.com/cat.jpg')).url).toBe('https://example.com/cat.jpg');
    await expect(at('http://169.254.169.254/latest')).rejects.toMatchObject({ code: 'not-allowed' });
    const file = join(work, 'cat.png');
    writeFileSync(file, await drawn(4, 4).png().toBuffer());
    expect((await at(pathToFileURL(file).href)).url).toMatch(/^data:image\/png/);
  });
});
