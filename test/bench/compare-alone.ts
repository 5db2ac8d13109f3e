import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Checkpoint } from '@mpa/vlm';
import type { AloneReport } from './alone.js';
import { startPythonPeer } from './python-peer.js';
import { tileSide, workload } from './subject.js';

const run = promisify(execFile);
const ALONE = new URL('alone.js', import.meta.url).pathname;

/** What is done alone, and what the other side is asked for it; it has no int8. */
const requests = {
  answer: { verb: 'generate' },
  'answer in int8': { verb: 'generate' },
  'train full': { verb: 'train', lora: false },
  'train LoRA': { verb: 'train', lora: true },
} as const;

interface Sides {
  readonly ours: number;
  readonly theirs: number;
}

/** The fastest of alternating runs of processes that do one piece of work and end, and the least of their peak memory. */
export async function compareAlone(
  work: keyof typeof requests,
  checkpoint: Checkpoint,
  { rounds, threads, cacheDir }: { readonly rounds: number; readonly threads: number; readonly cacheDir: string },
): Promise<{ readonly seconds: Sides; readonly bytes: Sides }> {
  const ours = async (): Promise<number> => {
    const { stdout } = await run(process.execPath, [ALONE, work, checkpoint.dir, cacheDir, String(threads)]);
    return (JSON.parse(stdout.trim().split('\n').at(-1)!) as AloneReport).peakBytes;
  };
  const theirs = async (): Promise<number> => {
    const { ids, newTokens, answerTokens } = workload(checkpoint);
    const shared = { folder: checkpoint.dir, ids: [...ids], side: tileSide(checkpoint), batch: 1 };
    const peer = await startPythonPeer(threads);
    await peer.ask({ ...requests[work], ...shared, tokens: newTokens, answer: answerTokens, steps: 3 });
    const { bytes } = await peer.ask({ verb: 'peak' });
    await peer.close();
    return bytes;
  };
  await ours(); // exports the graphs
  const best = { seconds: { ours: Infinity, theirs: Infinity }, bytes: { ours: Infinity, theirs: Infinity } };
  for (let round = 0; round < rounds; round++) {
    for (const [side, process] of [
      ['ours', ours],
      ['theirs', theirs],
    ] as const) {
      const start = performance.now();
      best.bytes[side] = Math.min(best.bytes[side], await process());
      best.seconds[side] = Math.min(best.seconds[side], (performance.now() - start) / 1000);
    }
  }
  return best;
}
