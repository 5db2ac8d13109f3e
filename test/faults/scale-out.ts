import { observe } from './observe.js';
import type { Scenario } from './scenario.js';
import type { SupervisedService } from './supervised-service.js';
import { until } from './until.js';
import { settings } from './workbench.js';

const IMAGES = 400;

/** Three annotators come to one that is at work, and two go again; no image suffers, and work moves within seconds. */
export const scaleOut: Scenario = {
  name: 'scale-out',
  title: 'one annotator, then 4, then 2',
  async run(bench) {
    const images = bench.images(bench.atMost(IMAGES));
    const brokers = await bench.brokers();
    const trial = {
      ...{ name: 'scale-out', brokers, images },
      processes: { annotator: [{}, {}, {}, {}] },
      more: { annotator: { logLevel: 'debug', batch: 1, diversity: { maxShare: 1 } } },
    };
    return observe(bench, trial, async (run) => {
      const { annotator, parity, trainer, evaluator } = run.services;
      const [first, second, third, fourth] = annotator as [SupervisedService, SupervisedService, SupervisedService, SupervisedService]; // prettier-ignore
      run.start([first, ...parity, ...trainer, ...evaluator]).align();
      const reached = (share: number): Promise<true> =>
        until(async () => (await run.annotated.position()) >= share * images.count, run.ended);
      await reached(0.1);
      const recovered = await Promise.all(
        [second, third, fourth].map(async (service) => {
          service.start();
          await until(() => service.log.includes(' is serving'), run.ended);
          const serving = performance.now();
          await until(() => partitionsOf(service) > 0, run.ended);
          return (performance.now() - serving) / 1000;
        }),
      );
      await reached(0.4);
      const leaving = performance.now();
      await Promise.all([third.stop(), fourth.stop()]);
      await until(() => partitionsOf(first) + partitionsOf(second) === settings.kafka.partitions, run.ended);
      const left = (performance.now() - leaving) / 1000;
      const remark = `partitions after ${recovered.map((s) => s.toFixed(1)).join(', ')} s; moved ${left.toFixed(1)} s after two left`;
      await run.ended;
      return { intended: 5, injected: 5, recovered: [...recovered, left, left], remark };
    });
  },
};

/** Partitions that a service has, by what it logged of gaining and losing them. */
function partitionsOf({ log }: SupervisedService): number {
  const owned = new Set<number>();
  for (const line of log.split('\n').slice(0, -1)) {
    if (!line.includes('"partition":')) continue;
    const { msg, partition } = JSON.parse(line) as { readonly msg: string; readonly partition: number };
    if (msg === 'assigned') owned.add(partition);
    if (msg === 'revoked') owned.delete(partition);
  }
  return owned.size;
}
