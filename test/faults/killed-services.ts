import { seededRandom } from '@mpa/trainer';
import type { Gauge } from './gauges.js';
import { observe } from './observe.js';
import type { ServiceName } from './run-under-test.js';
import type { Scenario } from './scenario.js';
import { strikeAlong, together } from './strike-along.js';

const IMAGES = 2_000;
/** Kills of each service: so many, or one for so many images if there are few. */
const KILLS = 20;
const IMAGES_A_KILL = 50;

/** Every service is killed, again and again, while it is at work; a supervisor starts it again. */
export const killedServices: Scenario = {
  name: 'services',
  title: 'SIGKILL to each service',
  async run(bench) {
    const count = bench.atMost(IMAGES);
    const times = Math.min(KILLS, Math.max(1, Math.round(count / IMAGES_A_KILL)));
    const { uniform: random } = seededRandom(bench.seed);
    const images = bench.images(count);
    const brokers = await bench.brokers();
    return observe(bench, { name: 'services', brokers, images }, async (run) => {
      run.start().align();
      const kill = (name: ServiceName, gauge: Gauge): ReturnType<typeof strikeAlong> => {
        const strike = (): Promise<void> => run.services[name][0]!.kill();
        return strikeAlong({ gauge, times, strike, random, ended: run.ended });
      };
      return together(
        await Promise.all([
          kill('annotator', run.annotated),
          kill('parity', run.decided),
          kill('trainer', run.trained),
          kill('evaluator', run.evaluated),
        ]),
      );
    });
  },
};
