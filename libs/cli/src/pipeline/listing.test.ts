import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { topics } from '@mpa/service-kit';
import { openEmbeddedStreams } from '@mpa/streams';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { alignConfigSchema } from './align-config.js';
import { startListing, type Listing } from './listing.js';

const COUNT = 20_000;

describe('startListing', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'mpa-listing-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function optionsOf(lines: readonly string[]): Parameters<typeof startListing>[2] {
    const images = join(folder, 'list.txt');
    writeFileSync(images, lines.join('\n'));
    return {
      sources: [{ task: 'okvqa', images, imageRoots: ['s3://bucket'] }],
      config: alignConfigSchema.parse({}),
    };
  }
  const uris = Array.from({ length: COUNT }, (_, i) => `s3://bucket/${i}.png`);

  async function inSession<T>(work: (streams: ReturnType<typeof openEmbeddedStreams>) => Promise<T>): Promise<T> {
    const streams = openEmbeddedStreams(join(folder, 'streams'));
    try {
      return await work(streams);
    } finally {
      await streams.close();
    }
  }

  async function listed(): Promise<string[]> {
    return inSession(async (streams) => {
      const found: string[] = [];
      for await (const record of streams.readAll(topics.images.name)) {
        found.push(topics.images.decode(record).image!.uri);
      }
      return found;
    });
  }

  it('lists every image once, also when it was stopped on the way and a line comes twice', async () => {
    const options = optionsOf([...uris, ...uris.slice(0, 100)]);
    for (const atLeast of [1, 9_000]) {
      const stopping = new AbortController();
      const stopped = inSession(async (streams) => {
        const listing = startListing(streams, 'run', options, stopping.signal);
        await listing.begun;
        await Promise.race([until(listing, atLeast), listing.done]);
        stopping.abort();
        return listing.done;
      });
      await expect(stopped).rejects.toMatchObject({ name: 'AbortError' });
      expect((await listed()).length).toBeLessThan(COUNT);
    }
    const listing = await inSession(async (streams) => {
      const last = startListing(streams, 'run', options, new AbortController().signal);
      expect(await last.done).toBe(COUNT);
      return last;
    });
    expect(listing).toMatchObject({ isComplete: true, count: COUNT });
    expect((await listed()).sort()).toEqual(uris.toSorted());
  });

  it('has the first image in the log before the list is at its end', async () => {
    await inSession(async (streams) => {
      const stopping = new AbortController();
      const listing = startListing(streams, 'run', optionsOf(uris), stopping.signal);
      await listing.begun;
      expect(listing.isComplete).toBe(false);
      expect((await streams.lag('reader', topics.images.name)).lag).toBeGreaterThan(0);
      stopping.abort();
      await expect(listing.done).rejects.toMatchObject({ name: 'AbortError' });
      await expect(startListing(streams, 'run', optionsOf(['nothing.png']), new AbortController().signal).done).rejects.toThrow(/no images in .*nothing.png/); // prettier-ignore
    });
  });
});

async function until(listing: Listing, count: number): Promise<void> {
  while (listing.count < count) await new Promise((resolve) => setTimeout(resolve, 1));
}
