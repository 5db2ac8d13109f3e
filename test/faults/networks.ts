import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { kafkaReleases, startBroker } from '@mpa/streams/testing';
import { seededRandom } from '@mpa/trainer';
import { freePort } from '../free-port.js';
import { Cable, inNamespace, noNamespaces } from './cable.js';
import { observe } from './observe.js';
import type { Scenario } from './scenario.js';
import { strikeAlong } from './strike-along.js';
import type { Workbench } from './workbench.js';

const IMAGES = 200;
/** Milliseconds without a network: longer than the sessions of the group, so that its partitions go to others. */
const CUT_MS = 20_000;

/** One of two annotators cannot reach Kafka for a while, and the command can reach it all the time. */
export const cutFromKafka: Scenario = {
  name: 'network-kafka',
  title: `network between a service and Kafka cut for ${CUT_MS / 1000} s`,
  obstacle: noNamespaces,
  run: (bench) =>
    withCables(bench, async (brokers, { calls, kafka }) => {
      const { uniform: random } = seededRandom(bench.seed);
      const images = bench.images(bench.atMost(IMAGES));
      const apart = { host: calls.there, command: calls.command };
      const trial = { name: 'network-kafka', brokers, images, processes: { annotator: [apart, {}] } };
      return observe(bench, trial, async (run) => {
        run.start().align();
        const strike = (): Promise<void> => cutFor(kafka, CUT_MS);
        return strikeAlong({ gauge: run.annotated, times: 1, strike, random, ended: run.ended });
      });
    }),
};

/** The command cannot reach the annotator for a while; meanwhile it is started anew, so that nobody can tell that the connection is over. */
export const cutBetweenServices: Scenario = {
  name: 'network-services',
  title: 'network between mpa align and a service cut, the service replaced meanwhile',
  obstacle: noNamespaces,
  run: (bench) =>
    withCables(bench, async (brokers, { calls }) => {
      const { uniform: random } = seededRandom(bench.seed);
      const images = bench.images(bench.atMost(IMAGES));
      const apart = { host: calls.there, command: calls.command };
      const trial = { name: 'network-services', brokers, images, processes: { annotator: [apart] } };
      return observe(bench, trial, async (run) => {
        run.start().align();
        const strike = async (): Promise<void> => {
          calls.cut();
          await run.services.annotator[0]!.kill();
          await pause(CUT_MS);
          calls.mend();
        };
        return strikeAlong({ gauge: run.annotated, times: 1, strike, random, ended: run.ended });
      });
    }),
};

async function cutFor(cable: Cable, milliseconds: number): Promise<void> {
  cable.cut();
  await pause(milliseconds);
  cable.mend();
}

interface Cables {
  /** For calls of a service in the namespace. */
  readonly calls: Cable;
  /** For the way from there to Kafka. */
  readonly kafka: Cable;
}

/** Has a namespace with two cables, and a cluster at this end of one of them, used. */
async function withCables<T>(
  bench: Workbench,
  use: (brokers: readonly string[], cables: Cables) => Promise<T>,
): Promise<T> {
  return inNamespace(async (namespace) => {
    const calls = Cable.lay(namespace, 'mpac', 1);
    const kafka = Cable.lay(namespace, 'mpak', 2);
    try {
      const address = `${kafka.here}:${await freePort()}`;
      const broker = await startBroker(kafkaReleases.at(-1)!, ['--properties', await listeningAt(address, bench)]);
      try {
        return await use([address], { calls, kafka });
      } finally {
        await broker.stop();
      }
    } finally {
      calls.remove();
      kafka.remove();
    }
  });
}

/** Settings of a broker that is reached at this address. */
async function listeningAt(address: string, { folder }: Workbench): Promise<string> {
  const controller = `127.0.0.1:${await freePort()}`;
  const file = join(folder, 'broker.properties');
  writeFileSync(
    file,
    `listeners=CLIENT://${address},CONTROLLER://${controller}\n` +
      `advertised.listeners=CLIENT://${address}\n` +
      `controller.quorum.voters=1@${controller}\n`,
  );
  return file;
}
