import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openCheckpoint, saveCheckpoint } from './checkpoint.js';
import { checkpointCopy, oracleOf, temporaryFolder } from './oracle.fixture.js';
import { openSafetensors, writeSafetensors } from './safetensors.js';

/** Gives the weights of a folder other names, or the same weight twice. */
async function rename(dir: string, renamed: (name: string) => readonly string[]): Promise<string[]> {
  const path = join(dir, 'model.safetensors');
  const weights = openSafetensors(path);
  const tensors = weights.names.flatMap((from) =>
    renamed(from).map((name) => ({ name, shape: weights.shape(from), values: weights.read(from) })),
  );
  weights.close();
  writeSafetensors(path, tensors, tensors, 'F32');
  return tensors.map(({ name }) => name);
}

const inMemory = (name: string): string =>
  name
    .replace(/^language_model\.lm_head/, 'lm_head')
    .replace(/^language_model\.model/, 'model.language_model')
    .replace(/^(vision_tower|multi_modal_projector)/, 'model.$1');

const qwenInMemory = (name: string): string =>
  name.replace(/^model/, 'model.language_model').replace(/^visual/, 'model.visual');

const layouts = [
  ['internvl', 'in memory', inMemory],
  ['llava', 'in memory', (name: string) => inMemory(name).replace('vision_model.', '')],
  ['llava', 'as transformers 5 saves it', (name: string) => name.replace('vision_model.', '')],
  ['llava', 'between the two', (name: string) => name.replace(/^language_model\.model/, 'language_model')],
  ['qwen2_vl', 'in memory', qwenInMemory],
  ['qwen2_5_vl', 'in memory', qwenInMemory],
] as const;

describe.each(layouts)('a %s checkpoint with the names it has %s', (family, _, renamed) => {
  it('is read as with the published names', async () => {
    const dir = await checkpointCopy('hub', oracleOf(family));
    const published = await openCheckpoint(dir);
    const expected = published.weights.names.map((name) => [name, published.weights.read(name)]);
    published.close();
    await rename(dir, (name) => [renamed(name)]);
    const { weights, close } = await openCheckpoint(dir);
    expect(weights.names.map((name) => [name, weights.read(name)])).toEqual(expected);
    close();
  });

  it('is saved with its own names', async () => {
    const dir = await checkpointCopy('hub', oracleOf(family));
    const names = await rename(dir, (name) => [renamed(name)]);
    const checkpoint = await openCheckpoint(dir);
    const saved = await temporaryFolder();
    await saveCheckpoint(saved, checkpoint, (name) => checkpoint.weights.read(name), 'F32');
    checkpoint.close();
    const weights = openSafetensors(join(saved, 'model.safetensors'));
    expect([...weights.names].sort()).toEqual([...names].sort());
    weights.close();
  });
});

it('is refused when a weight stands in it under two names', async () => {
  const dir = await checkpointCopy('hub', oracleOf('llava'));
  await rename(dir, (name) => (name.includes('lm_head') ? [name, 'lm_head.weight'] : [name]));
  await expect(openCheckpoint(dir)).rejects.toThrow(
    `${dir}: tensors language_model.lm_head.weight and lm_head.weight are the same weight twice`,
  );
});
