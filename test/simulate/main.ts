/**
 * `npm run simulate`: what a run of very many images takes, from what records were measured to cost and from assumptions about models, prices and
 * failures, each of which is a flag. Prints the assumptions, the resources, the fleet's course with failures, and which part breaks first.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ASSUMED, flagOf, type Assumptions } from './assumptions.js';
import { breakingPoints } from './breaking-points.js';
import { readCosts } from './costs.js';
import { simulateFleet, type FleetRun } from './fleet.js';
import { measureMemory } from './memory-costs.js';
import { planOf, type Plan } from './plan.js';

const COSTS = join(new URL('../../../', import.meta.url).pathname, 'test', 'simulate', 'costs.json');
const SEED = 1;

class UsageError extends Error {}

function readFlags(): { assumed: Assumptions; costs: string; json: boolean } {
  const named = Object.keys(ASSUMED) as (keyof Assumptions)[];
  const own = { costs: { type: 'string' }, json: { type: 'boolean' } } as const;
  const options = { ...Object.fromEntries(named.map((name) => [flagOf(name), { type: 'string' as const }])), ...own };
  let values: Record<string, unknown>;
  try {
    ({ values } = parseArgs({ options }));
  } catch (cause) {
    throw new UsageError(`${(cause as Error).message}; the flags are --${named.map(flagOf).join(', --')}`, { cause });
  }
  const assumed = Object.fromEntries(
    named.map((name) => {
      const given = values[flagOf(name)];
      const value = given === undefined ? ASSUMED[name].value : Number(given);
      if (!(value > 0)) throw new UsageError(`--${flagOf(name)} must be a number above 0`);
      return [name, value];
    }),
  ) as unknown as Assumptions;
  return { assumed, costs: (values['costs'] as string | undefined) ?? COSTS, json: values['json'] === true };
}

function fleets(a: Assumptions, plan: Plan): Record<'annotator' | 'parity', FleetRun> {
  const { partitions, failureHours, restartSeconds, rebalanceSeconds } = a;
  const common = { partitions, failureHours, restartSeconds, rebalanceSeconds, seed: SEED };
  return {
    annotator: simulateFleet({
      ...common,
      records: a.images,
      workers: plan.annotators,
      recordSeconds: a.teacherSeconds,
    }),
    parity: simulateFleet({
      ...common,
      records: a.images * a.annotated,
      workers: plan.parities,
      recordSeconds: a.studentSeconds,
    }),
  };
}

const [THOUSAND, TERA] = [1e3, 1e12];
const count = (n: number): string => Math.round(n).toLocaleString('en');
const short = (n: number): string => (n === Infinity ? 'no limit' : `${Number(n.toPrecision(2)).toExponential(1)}`);

function lines(a: Assumptions, plan: Plan, runs: ReturnType<typeof fleets>): string[] {
  const { annotator, parity, trainer } = plan.gpuHours;
  const dollars = Object.entries(plan.dollars);
  const course = (name: string, workers: number, run: FleetRun): string =>
    `${name}: ${count(workers)} workers, ${run.days.toFixed(1)} days with ${count(run.failures)} failures, ${(100 * run.utilisation).toFixed(0)} % of their time at work`;
  return [
    `${count(a.images)} images in ${a.days} days: ${count(plan.rate)} a second`,
    `GPUs: ${count(plan.annotators)} for the annotator, ${count(plan.parities)} for the parity service; ${count(annotator)} + ${count(parity)} hours, and ${count(trainer)} for training`,
    `CPU cores beside the models: annotators ${plan.cores.annotators.toFixed(1)}, parity services ${plan.cores.parities.toFixed(1)}, driver ${plan.cores.driver.toFixed(2)} (of one)`,
    `records: ${(plan.recordBytes / TERA).toFixed(2)} TB, ${(plan.brokerBytes / TERA).toFixed(1)} TB with copies, on ${plan.brokers} brokers of ${a.partitions} partitions a topic`,
    `images: ${(plan.imageReads / TERA).toFixed(0)} TB are read, ${(plan.imageRate / 1e6).toFixed(0)} MB a second`,
    `dollars, thousands: ${dollars.map(([what, n]) => `${what} ${(n / THOUSAND).toFixed(1)}`).join(', ')}`,
    course('annotators', plan.annotators, runs.annotator),
    course('parity services', plan.parities, runs.parity),
  ];
}

function main(): void {
  const { assumed, costs: file, json } = readFlags();
  const costs = readCosts(file);
  const plan = planOf(assumed, costs);
  const runs = fleets(assumed, plan);
  const memory = measureMemory();
  const breaking = breakingPoints(assumed, costs, memory);
  if (json) return console.log(JSON.stringify({ assumed, costs, memory, plan, runs, breaking }));
  console.log(`measured: ${costs.images} images, ${costs.streams}, on ${costs.machine}`);
  for (const [name, { meaning }] of Object.entries(ASSUMED))
    console.log(`assumed: ${meaning}: ${assumed[name as keyof Assumptions]}`);
  for (const line of lines(assumed, plan, runs)) console.log(line);
  console.log('which part breaks first, in images:');
  for (const { part, images, why } of breaking) console.log(`  ${short(images).padStart(8)}  ${part} (${why})`);
}

try {
  main();
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`simulate: ${error.message}`);
  process.exitCode = 2;
}
