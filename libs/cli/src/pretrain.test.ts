import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { recipes } from '@mpa/trainer';
import { lastObject, runMpa, startMpa } from './run-mpa.fixture.js';

const PHASES = recipes.small.phases.map(({ learns }) => learns);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mpa-pretrain-'));
}, 300_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

const pretrain = (out: string): string[] => [
  'pretrain',
  '--size',
  'small',
  '--steps',
  String(PHASES.length),
  '--out',
  out,
  '--json',
];

it('trains a starter model through all phases; killed in the middle, it ends with the very same weights', async () => {
  const [whole, killed] = [join(folder, 'whole'), join(folder, 'killed')];
  const ended = await runMpa(...pretrain(whole));
  expect(ended.code, ended.stderr).toBe(0);
  expect(lastObject(ended)).toMatchObject({ phase: 'together', step: PHASES.length });
  expect(PHASES.map((phase, i) => existsSync(join(whole, 'state', `${i + 1}-${phase}`)))).toEqual(
    PHASES.map(() => true),
  );

  const first = startMpa(pretrain(killed));
  while (!existsSync(join(killed, 'state', '1-seeing', 'steps.json')) && first.child.exitCode === null) {
    await setTimeout(20);
  }
  first.child.kill('SIGKILL');
  await first.ended;
  expect(existsSync(join(killed, 'state', `${PHASES.length}-together`))).toBe(false);
  expect((await runMpa(...pretrain(killed))).code).toBe(0);
  const weights = (out: string): Promise<Buffer> => readFile(join(out, 'model.safetensors'));
  expect((await weights(killed)).equals(await weights(whole))).toBe(true);
}, 300_000);
