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

/** The scenarios that `--only A,B` names; all without it. Throws an Error that says which there are. */
function wanted(only: string): readonly Scenario[] {
  const names = only === '' ? scenarios.map(({ name }) => name) : only.split(',');
  const unknown = names.find((name) => !scenarios.some((scenario) => scenario.name === name));
  if (unknown !== undefined) {
    throw new Error(`there is no scenario ${unknown}; there are ${scenarios.map(({ name }) => name).join(', ')}`);
  }
  return scenarios.filter(({ name }) => names.includes(name));
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
  const { only, images, seed, folder: given, json } = parseArgs({ options: FLAGS }).values;
  const chosen = wanted(only);
  const folder = given === '' ? await mkdtemp(join(tmpdir(), 'mpa-faults-')) : resolve(given);
  mkdirSync(join(folder, 'runs'), { recursive: true });
  const bench = await Workbench.open(folder, Number(images), Number(seed));
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
  if (json) console.log(JSON.stringify({ machine: machine(), images: Number(images), seed: Number(seed), rows }));
  else printTable(rows);
  if (rows.some((row) => verdictOf(row) === 'failed')) process.exitCode = 1;
}

await main();
