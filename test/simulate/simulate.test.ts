import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { ASSUMED, flagOf, type Assumptions } from './assumptions.js';
import { breakingPoints } from './breaking-points.js';
import { simulateFleet, type Fleet } from './fleet.js';
import { planOf } from './plan.js';

const costs = {
  machine: 'a machine',
  streams: 'kafka',
  images: 1,
  seconds: 1,
  cpuSeconds: { 'mpa align': 1e-4, annotator: 1e-3, parity: 1e-3 },
  bytes: { images: 100, annotations: 500, decisions: 900 },
} as const;
const assumed = Object.fromEntries(Object.entries(ASSUMED).map(([name, { value }]) => [name, value])) as unknown as Assumptions; // prettier-ignore

const fleet: Fleet = {
  records: 1e6,
  partitions: 64,
  workers: 32,
  recordSeconds: 0.5,
  failureHours: Infinity,
  restartSeconds: 300,
  rebalanceSeconds: 5,
  seed: 1,
};

describe('the simulated fleet', () => {
  it('does all the work, in the time that it takes when nothing fails', () => {
    const run = simulateFleet(fleet);
    expect(run.processed).toBeCloseTo(fleet.records, 3);
    expect(run.failures).toBe(0);
    // Partitions are uneven by some standard deviations of 1 / sqrt(15625), and the last step is not full.
    expect(run.slowdown).toBeGreaterThanOrEqual(1);
    expect(run.slowdown).toBeLessThan(1.03);
  });

  it('leaves workers beyond the number of partitions without work', () => {
    expect(simulateFleet({ ...fleet, workers: 128 }).slowdown).toBeGreaterThan(1.95);
  });

  it('takes longer the oftener workers fail, and still does all the work', () => {
    const [seldom, often] = [200, 5].map((failureHours) => simulateFleet({ ...fleet, failureHours }));
    expect(often!.failures).toBeGreaterThan(seldom!.failures);
    expect(often!.slowdown).toBeGreaterThan(seldom!.slowdown);
    expect(often!.processed).toBeCloseTo(fleet.records, 3);
  });
});

describe('the plan', () => {
  it('grows with the images, and needs fewer GPUs for more days', () => {
    const [one, twice, longer] = [{}, { images: 2e9 }, { days: 60 }].map((more) => planOf({ ...assumed, ...more }, costs)); // prettier-ignore
    expect(twice!.recordBytes).toBe(2 * one!.recordBytes);
    expect(twice!.rate).toBe(2 * one!.rate);
    expect(longer!.annotators).toBeLessThan(one!.annotators);
    // 1e9 images, 0.5 s each, at 90 % of the time.
    expect(one!.annotators).toBe(Math.ceil((1e9 * 0.5) / (30 * 86_400) / 0.9));
  });

  it('names the part that breaks first', () => {
    const memory = { idBytes: 40, decisionBytes: 4000 };
    const points = breakingPoints(assumed, costs, memory);
    expect(points[0]!.part).toMatch(/trainer/);
    // 64 GB of 4,000 bytes each, of 9.5 % of the images.
    expect(points[0]!.images).toBeCloseTo(64e9 / 4000 / 0.095, -3);
    expect(breakingPoints({ ...assumed, trained: 1e6 }, costs, memory)[0]!.part).not.toMatch(/trainer/);
  });
});

it('has all its assumptions in the documentation, with their defaults', async () => {
  const document = await readFile(new URL('../../docs/scaling.md', import.meta.url), 'utf8');
  const rows = [...document.matchAll(/^\| `--([a-z-]+) N`\s+\| (?:`([^`]+)`|no bound)\s+\| (.+?)\s*\|$/gm)];
  const documented = rows.map(([, flag, value = 'Infinity', meaning]) => [flag, Number(value), meaning]);
  const assumptions = Object.entries(ASSUMED).map(([name, { value, meaning }]) => [flagOf(name), value, meaning]);
  expect(documented).toEqual(expect.arrayContaining(assumptions));
});
