import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

const MPA = new URL('../../../libs/cli/bin/mpa.js', import.meta.url).pathname;
const STARTERS = new URL('../../../libs/benchmarks/models/', import.meta.url).pathname;
const CLOCK = new URL('./model-clock.js', import.meta.url).href;

/** Where the time of a main job went, in seconds. */
export interface JobTime {
  readonly wall: number;
  /** At least one model was computing. */
  readonly busy: number;
}

/**
 * Runs `mpa align` with the starter models on `images` drawn images and the questions of half as many labelled ones, from an empty
 * run folder and a full cache of exported graphs, and says how long a model was computing. `folder` is for its files.
 */
export async function timeMainJob(folder: string, images: number): Promise<JobTime> {
  const draw = async (split: string, count: number): Promise<string> => {
    const out = join(folder, split);
    await mpa(['world', '--task', 'textvqa', '--split', split, '--count', String(count), '--seed', '1', '--out', out]);
    return out;
  };
  const [unlabeled, labelled] = [await draw('train', images), await draw('test', images / 2)];
  const align = (run: string): string[] => [
    ...['align', '--images', join(unlabeled, 'images'), '--task', 'textvqa', '--out', join(folder, run), '--json'],
    ...['--teacher', join(STARTERS, 'starter-large'), '--student', join(STARTERS, 'starter-small')],
    ...['--eval', join(labelled, 'TextVQA_0.5.1_val.json'), '--eval-images', join(labelled, 'images')],
  ];
  await mpa(align('first'));
  const clock = join(folder, 'clock.json');
  await mpa(align('second'), { NODE_OPTIONS: `--import ${CLOCK}`, MPA_MODEL_CLOCK: clock });
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
