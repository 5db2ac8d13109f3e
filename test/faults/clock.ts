import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { seededRandom } from '@mpa/trainer';
import { observe } from './observe.js';
import type { Scenario } from './scenario.js';
import { strikeAlong } from './strike-along.js';

const IMAGES = 200;
/** Seconds that the clock is off, one after the other: a day ahead, a day behind, right again. */
const JUMPS = [86_400, -86_400, 0];

/** The wall clock of all our processes jumps, as when a wrong one is set; their monotonic clock goes on. */
export const jumpingClock: Scenario = {
  name: 'clock',
  title: 'clock a day ahead, a day behind, right again (libfaketime)',
  obstacle: () => (library() ? undefined : 'libfaketime is missing (Debian: apt install faketime)'),
  async run(bench) {
    const images = bench.images(bench.atMost(IMAGES));
    const brokers = await bench.brokers();
    const offset = join(bench.folder, 'clock-offset');
    const set = (seconds: number): void => writeFileSync(offset, `${seconds < 0 ? '' : '+'}${seconds}`);
    set(0);
    const env = {
      LD_PRELOAD: library(),
      FAKETIME_TIMESTAMP_FILE: offset,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      NO_FAKE_STAT: '1',
    };
    const { uniform: random } = seededRandom(bench.seed);
    const two = [{}, {}];
    const trial = { name: 'clock', brokers, images, env, processes: { annotator: two, parity: two } };
    return observe(bench, trial, async (run) => {
      run.start().align();
      const jumps = [...JUMPS];
      const strike = async (): Promise<void> => set(jumps.shift()!);
      const times = JUMPS.length;
      return strikeAlong({ gauge: run.annotated, times, strike, random, ended: run.ended });
    });
  },
};

/** Where Debian and others put it. */
function library(): string | undefined {
  const folders = ['/usr/lib', ...readdirSync('/usr/lib').filter((name) => name.includes('-linux-')).map((name) => join('/usr/lib', name))]; // prettier-ignore
  return folders.map((folder) => join(folder, 'faketime', 'libfaketimeMT.so.1')).find((file) => existsSync(file));
}
