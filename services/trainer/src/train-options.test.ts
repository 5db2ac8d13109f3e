import { fileURLToPath } from 'node:url';
import { create, TrainingOptionsSchema } from '@mpa/contracts';
import { describeCheckpoint } from '@mpa/vlm';
import { expect, it } from 'vitest';
import { requestedOptions } from './requested-options.js';
import { trainableOf, trainOptions } from './train-options.js';

const MODELS = fileURLToPath(new URL('../../../test/fixtures/vlm/', import.meta.url));
const defaults = trainOptions.parse({});

it.each([
  ['llava-a', ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj']],
  ['llava-phi', ['q_proj', 'k_proj', 'v_proj', 'dense', 'fc1', 'fc2']],
])('by default every matrix of the text layers of %s learns', async (name, matrices) => {
  const learning = trainableOf(defaults.trainable, await describeCheckpoint(`${MODELS}${name}`));
  const modules = learning.kind === 'lora' ? learning.modules : [];
  expect([...new Set(modules.map((module) => module.split('.').at(-1)))]).toEqual(matrices);
});

it('a request for LoRA that names no targets means them all', () => {
  const options = create(TrainingOptionsSchema, { trainable: { case: 'lora', value: { rank: 2, alpha: 4 } } });
  expect(requestedOptions(options, defaults).trainable).toEqual({ kind: 'lora', rank: 2, alpha: 4, targets: 'all-linear' }); // prettier-ignore
});
