import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('../../../setup/src/kafka.mjs', import.meta.url));

/** A running cluster. */
export interface Broker {
  readonly brokers: readonly string[];
  stop(): Promise<void>;
}

const given = Boolean(process.env['KAFKA_BROKERS']);

/** Whether there is a Kafka to test on; where not, the tests count as skipped. */
export const hasKafka = given || ['java', 'mvn'].every((program) => spawnSync(program, ['--version']).status === 0);

/** What the tests run on: the cluster of KAFKA_BROKERS, or else two releases. */
export const kafkaReleases: readonly string[] = given ? ['of KAFKA_BROKERS'] : ['3.9', '4'];

if (!hasKafka) process.stderr.write('skipped: tests on Kafka need Java 17 and Maven, or KAFKA_BROKERS=HOST:PORT,...\n');

/**
 * Starts what `npm run kafka -- --version RELEASE` starts; it ends with this process at the latest.
 *
 * @param more further flags
 */
export async function startBroker(release: string, more: readonly string[] = []): Promise<Broker> {
  const child = spawn(process.execPath, [script, '--until-eof', '--version', release, ...more], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  for await (const line of createInterface(child.stdout)) {
    const brokers = /^brokers (.+)$/.exec(line)?.[1];
    if (!brokers) continue;
    return {
      brokers: brokers.split(','),
      async stop() {
        child.stdin.end();
        if (child.exitCode === null) await once(child, 'close');
      },
    };
  }
  throw new Error(`Kafka ${release} did not start`);
}
