import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { observe } from './observe.js';
import { runProgram } from './run-program.js';
import type { Scenario } from './scenario.js';
import { until } from './until.js';

const IMAGES = 200;
const MEGABYTES = 64;

/** The trainer's disk is full when it first saves its state, and has room again once the run has said so. */
export const fullDisk: Scenario = {
  name: 'disk',
  title: 'disk full at the trainer (tmpfs)',
  obstacle() {
    const folder = mkdtempSync(join(tmpdir(), 'mpa-mount-'));
    const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', 'tmpfs', folder], { encoding: 'utf8' });
    if (status === 0) spawnSync('umount', [folder]);
    rmSync(folder, { recursive: true });
    return status === 0 ? undefined : `no file system can be mounted: ${stderr?.trim() ?? 'no mount'}`;
  },
  async run(bench) {
    const images = bench.images(bench.atMost(IMAGES));
    const brokers = await bench.brokers();
    let mounted = '';
    try {
      return await observe(bench, { name: 'disk', brokers, images }, async (run) => {
        const { checkpoints } = run.paths;
        mkdirSync(checkpoints, { recursive: true });
        runProgram('mount', '-t', 'tmpfs', '-o', `size=${MEGABYTES}m`, 'tmpfs', checkpoints);
        mounted = checkpoints;
        const filler = join(checkpoints, 'filler');
        fill(filler);
        run.start().align();
        await until(() => /the trainer is gone \(.*no space left on device.*make room/.test(run.said), run.ended);
        const before = await run.trained.position();
        rmSync(filler);
        const freed = performance.now();
        await until(async () => (await run.trained.position()) > before, run.ended);
        const recovered = [(performance.now() - freed) / 1000];
        await run.ended;
        return { intended: 1, injected: 1, recovered };
      });
    } finally {
      if (mounted !== '') runProgram('umount', '--lazy', mounted);
    }
  },
};

function fill(file: string): void {
  const handle = openSync(file, 'w');
  const block = Buffer.alloc(2 ** 16);
  try {
    for (;;) writeSync(handle, block);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  } finally {
    closeSync(handle);
  }
}
