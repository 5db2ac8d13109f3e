import { mkdirSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { hasKafka } from '@mpa/streams/testing';
import { lostBroker, restartedBroker } from './brokers.js';
import { jumpingClock } from './clock.js';
import { corruptedRecords, duplicateDeliveries, poisonRecords } from './foreign-records.js';
import { fullDisk } from './full-disk.js';
import { killedCommand } from './killed-command.js';
import { killedServices } from './killed-services.js';
import { cutBetweenServices, cutFromKafka } from './networks.js';
import { machine, printRow, printTable, verdictOf, type Row } from './report.js';
import { scaleOut } from './scale-out.js';
import type { Scenario } from './scenario.js';
import { Workbench } from './workbench.js';

const scenarios: readonly Scenario[] = [
  killedServices,
  killedCommand,
  restartedBroker,
  lostBroker,
  cutFromKafka,
  cutBetweenServices,
  fullDisk,
  jumpingClock,
  poisonRecords,
  corruptedRecords,
  duplicateDeliveries,
  scaleOut,
];

const FLAGS = {
  only: { type: 'string', default: '' },
  images: { type: 'string', default: '2000' },
  seed: { type: 'string', default: '1' },
  folder: { type: 'string', default: '' },
  json: { type: 'boolean', default: false },
} as const;

/** Wrong flags. */
class UsageError extends Error {}

/** The scenarios that `--only A,B` names; all without it. Throws UsageError that says which there are. */
function wanted(only: string): readonly Scenario[] {
  const names = only === '' ? scenarios.map(({ name }) => name) : only.split(',');
  const unknown = names.find((name) => !scenarios.some((scenario) => scenario.name === name));
  if (unknown !== undefined) {
    throw new UsageError(`there is no scenario ${unknown}; there are ${scenarios.map(({ name }) => name).join(', ')}`);
  }
  return scenarios.filter(({ name }) => names.includes(name));
}

/** What was asked for. Throws UsageError. */
function flags(): { only: string; images: number; seed: number; folder: string; json: boolean } {
  try {
    const { images, seed, ...others } = parseArgs({ options: FLAGS }).values;
    const [most, first] = [Number(images), Number(seed)];
    if (!Number.isInteger(most) || most < 8) throw new Error(`--images ${images}: give a number from 8 on`);
    if (!Number.isInteger(first)) throw new Error(`--seed ${seed}: give a whole number`);
    return { ...others, images: most, seed: first };
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

async function rowOf(scenario: Scenario, bench: Workbench): Promise<Row> {
  const { name, title } = scenario;
  const obstacle = hasKafka ? scenario.obstacle?.() : 'there is no Kafka (Java 17 and Maven)';
  if (obstacle !== undefined) return { name, title, notRun: obstacle, seconds: 0 };
  const began = performance.now();
  const observation = await scenario.run(bench).catch((error: Error) => {
    const nothing = { injected: 0, intended: 0, recovered: [], lost: 0, duplicated: 0 };
    return { ...nothing, problems: [error.message] };
  });
  return { name, title, observation, seconds: (performance.now() - began) / 1000 };
}

/** Runs the scenarios one after the other. Exit code 1 when one of them failed. */
async function main(): Promise<void> {
  const { only, images, seed, folder: given, json } = flags();
  const chosen = wanted(only);
  const folder = given === '' ? await mkdtemp(join(tmpdir(), 'mpa-faults-')) : resolve(given);
  mkdirSync(join(folder, 'runs'), { recursive: true });
  const bench = await Workbench.open(folder, images, seed);
  const rows: Row[] = [];
  try {
    for (const scenario of chosen) {
      const row = await rowOf(scenario, bench);
      rows.push(row);
      printRow(row);
    }
  } finally {
    await bench.close();
    if (given === '') rmSync(folder, { recursive: true, force: true });
  }
  if (json) console.log(JSON.stringify({ machine: machine(), images, seed, rows }));
  else printTable(rows);
  if (rows.some((row) => verdictOf(row) === 'failed')) process.exitCode = 1;
}

await main().catch((error: unknown) => {
  if (!(error instanceof UsageError)) throw error;
  console.error(`faults: ${error.message}`);
  process.exitCode = 2;
});
