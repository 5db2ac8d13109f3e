import { seededRandom } from '@mpa/trainer';
import type { Gauge } from './gauges.js';
import { observe } from './observe.js';
import type { ServiceName } from './run-under-test.js';
import type { Scenario } from './scenario.js';
import { strikeAlong, together } from './strike-along.js';

const IMAGES = 2_000;
/** One kill of each service for so many images. */
const IMAGES_A_KILL = 100;

/** Every service is killed, again and again, while it is at work; a supervisor starts it again. */
export const killedServices: Scenario = {
  name: 'services',
  title: 'SIGKILL to each service',
  async run(bench) {
    const count = bench.atMost(IMAGES);
    const times = Math.max(1, Math.round(count / IMAGES_A_KILL));
    const { uniform: random } = seededRandom(bench.seed);
    const images = bench.images(count);
    const brokers = await bench.brokers();
    return observe(bench, { name: 'services', brokers, images }, async (run, { summary }) => {
      run.start().align();
      const kill = (name: ServiceName, gauge: Gauge, total: number): ReturnType<typeof strikeAlong> => {
        const strike = (): Promise<void> => run.services[name][0]!.kill();
        return strikeAlong({ gauge, total, times, strike, random, ended: run.ended });
      };
      const questions = Object.values(summary.eval).reduce((sum, { n }) => sum + n, 0);
      return together(
        await Promise.all([
          kill('annotator', run.annotated, summary.images),
          kill('parity', run.decided, summary.annotated),
          kill('trainer', run.trained, summary.train.steps),
          kill('evaluator', run.evaluated, 3 * questions),
        ]),
      );
    });
  },
};
