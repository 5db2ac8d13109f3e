import { ImageStore } from './image-store.js';

/** Lists and reads every image of each source that is named, and writes what came of the first of them. */
for (const source of process.argv.slice(2)) {
  const images = new ImageStore();
  try {
    for await (const entry of images.list(source)) {
      const told =
        entry.kind === 'skipped' ? `skipped: ${entry.reason}` : `${(await images.read(entry.uri)).length} bytes`;
      process.stdout.write(`${told}\n`);
      break;
    }
  } catch (error) {
    process.stdout.write(`${(error as { code?: string }).code} ${(error as Error).message}\n`);
  }
}
process.stdout.write(`${process.resourceUsage().maxRSS >> 10}\n`);
