import { spawn } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

const MPA = new URL('../../../libs/cli/bin/mpa.js', import.meta.url).pathname;
const CLOCK = new URL('./model-clock.js', import.meta.url).href;

/** Where the time of a main job went, in seconds. */
export interface JobTime {
  readonly wall: number;
  /** At least one model was computing. */
  readonly busy: number;
}

/**
 * Runs the main job on the built-in demonstration twice, and says how long a model was computing in the second run: its images are
 * drawn and its graphs exported by then. `folder` is for its files.
 */
export async function timeMainJob(folder: string): Promise<JobTime> {
  const demo = ['demo', '--out', folder, '--seed', '1', '--json'];
  await mpa(demo);
  await rm(join(folder, 'demo-1'), { recursive: true });
  const clock = join(folder, 'clock.json');
  await mpa(demo, { NODE_OPTIONS: `--import ${CLOCK}`, MPA_MODEL_CLOCK: clock });
  return JSON.parse(await readFile(clock, 'utf8')) as JobTime;
}

async function mpa(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<void> {
  const child = spawn(process.execPath, [MPA, ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, ...env },
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`mpa ${args.join(' ')} failed`);
}
