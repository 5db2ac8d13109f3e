import { readFileSync } from 'node:fs';
import { readImage, VisionModel } from '@mpa/inference';
import type { PeakMemoryRequest } from './peak-memory.js';

process.once('message', (request) => void answerOnce(request as PeakMemoryRequest));

/** Tells the parent the largest resident memory of this process, in bytes, and ends. */
async function answerOnce({ model: config, images, question }: PeakMemoryRequest): Promise<void> {
  const model = await VisionModel.open(config);
  const read = await Promise.all(images.map(async (path) => model.prepare(await readImage(path))));
  const seen = await model.look(read);
  await model.answer(seen.map((image) => ({ image, text: question })));
  const bytes = peakMemory();
  await model.close();
  process.send!(bytes, () => process.disconnect());
}

/** On Linux the kernel's mark of this program: that of `getrusage` begins with what the parent had when it forked. */
function peakMemory(): number {
  if (process.platform !== 'linux') return process.resourceUsage().maxRSS * 1024;
  const [, kibibytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))!;
  return Number(kibibytes) * 1024;
}
