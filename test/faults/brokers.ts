import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { kafkaReleases, startBroker } from '@mpa/streams/testing';
import { seededRandom } from '@mpa/trainer';
import { observe } from './observe.js';
import type { Scenario } from './scenario.js';
import { strikeAlong } from './strike-along.js';

const IMAGES = 200;
/** Milliseconds that the cluster is away. */
const AWAY_MS = 15_000;

/** The only broker is killed, twice, and comes back at the same address. */
export const restartedBroker: Scenario = {
  name: 'broker-restart',
  title: `SIGKILL to the only broker, back after ${AWAY_MS / 1000} s`,
  async run(bench) {
    const data = join(bench.folder, 'kafka-restarted');
    const start = (): ReturnType<typeof startBroker> => startBroker(kafkaReleases.at(-1)!, ['--data', data]);
    let broker = await start();
    const { uniform: random } = seededRandom(bench.seed);
    try {
      const images = bench.images(bench.atMost(IMAGES));
      const { brokers } = broker;
      return await observe(bench, { name: 'broker-restart', brokers, images }, async (run) => {
        run.start().align();
        const strike = async (): Promise<void> => {
          killNode(data, 1);
          await broker.stop();
          await pause(AWAY_MS);
          broker = await start();
        };
        return strikeAlong({ gauge: run.annotated, times: 2, strike, random, ended: run.ended });
      });
    } finally {
      await broker.stop();
    }
  },
};

/** One broker of three is killed and stays away; topics have three copies. */
export const lostBroker: Scenario = {
  name: 'broker-lost',
  title: 'SIGKILL to one broker of three, for good',
  async run(bench) {
    const data = join(bench.folder, 'kafka-three');
    const broker = await startBroker(kafkaReleases.at(-1)!, ['--nodes', '3', '--data', data]);
    const { uniform: random } = seededRandom(bench.seed);
    try {
      const images = bench.images(bench.atMost(IMAGES));
      const { brokers } = broker;
      const trial = { name: 'broker-lost', brokers, images, replication: 3 };
      return await observe(bench, trial, async (run) => {
        run.start().align();
        const strike = async (): Promise<void> => killNode(data, 2);
        return strikeAlong({ gauge: run.annotated, times: 1, strike, random, ended: run.ended });
      });
    } finally {
      await broker.stop();
    }
  },
};

function killNode(data: string, node: number): void {
  process.kill(Number(readFileSync(join(data, `node-${node}`, 'pid'), 'utf8')), 'SIGKILL');
}
