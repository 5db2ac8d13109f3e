import { seededRandom } from '@mpa/trainer';
import type { Gauge } from './gauges.js';
import { observe } from './observe.js';
import type { Scenario } from './scenario.js';
import { strikeAlong, together } from './strike-along.js';

const IMAGES = 200;

/** `mpa align` itself is killed in each of its stages, and given again. */
export const killedCommand: Scenario = {
  name: 'command',
  title: 'SIGKILL to mpa align, given again',
  async run(bench) {
    const { uniform: random } = seededRandom(bench.seed);
    const images = bench.images(bench.atMost(IMAGES));
    const brokers = await bench.brokers();
    return observe(bench, { name: 'command', brokers, images }, async (run) => {
      run.start().align();
      const kill = (gauge: Gauge, times: number): ReturnType<typeof strikeAlong> => {
        const strike = async (): Promise<void> => {
          await run.killAlign();
          run.align();
        };
        return strikeAlong({ gauge, times, strike, random, ended: run.ended });
      };
      const annotating = await kill(run.annotated, 3);
      const training = await kill(run.trained, 2);
      return together([annotating, training, await kill(run.evaluated, 1)]);
    });
  },
};
