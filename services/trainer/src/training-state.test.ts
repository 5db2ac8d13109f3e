import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AdamW, loadTensorflow, Parameters, tf } from '@mpa/tensorflow';
import { openSafetensors, writeSafetensors } from '@mpa/vlm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { loadTrainingState, saveTrainingState } from './training-state.js';

describe('the training state', () => {
  let root: string;
  let folder: string;
  let parameters: Parameters;
  let optimizer: AdamW;

  beforeAll(async () => {
    await loadTensorflow();
    root = await mkdtemp(join(tmpdir(), 'mpa-state-'));
    const layout = [{ name: 'w', shape: [2, 2], values: Float32Array.from([1, 2, 3, 4]) }];
    writeSafetensors(join(root, 'first.safetensors'), layout, layout, 'F32');
    const weights = openSafetensors(join(root, 'first.safetensors'));
    parameters = new Parameters(weights, { kind: 'full' }, () => 0.5);
    weights.close();
    optimizer = new AdamW(parameters);
  });

  beforeEach(async () => {
    await rm(join(root, 'state'), { recursive: true, force: true });
    await rm(join(root, 'state.old'), { recursive: true, force: true });
    folder = join(root, 'state');
  });

  afterAll(async () => {
    optimizer.dispose();
    parameters.dispose();
    await rm(root, { recursive: true });
  });

  function step(): void {
    const gradient = tf.tensor2d([0.1, -0.2, 0.3, 7], [2, 2]);
    optimizer.step(new Map([['w', gradient]]), 0.01);
    gradient.dispose();
  }

  it('brings back parameters and sums to the bit', async () => {
    step();
    await saveTrainingState(folder, parameters, optimizer, 'this training');
    const saved = parameters.read('w').slice();
    step();
    const further = parameters.read('w').slice();
    const state = (await loadTrainingState(folder))!;
    expect(state.fingerprint).toBe('this training');
    state.restoreParameters(parameters);
    state.close();
    expect(parameters.read('w')).toEqual(saved);
    const second = new AdamW(parameters);
    second.restore(state.optimizer);
    optimizer.dispose();
    optimizer = second;
    step();
    expect(parameters.read('w')).toEqual(further);
  });

  it('is there whenever a save is cut short', async () => {
    step();
    await saveTrainingState(folder, parameters, optimizer);
    const { steps } = optimizer;
    // Between the two renames.
    await rename(folder, `${folder}.old`);
    expect((await loadTrainingState(folder))?.optimizer.steps).toBe(steps);
    // And before that, while the new state was being written.
    await mkdir(`${folder}.saving`);
    await writeFile(join(`${folder}.saving`, 'steps.json'), '{"st');
    expect((await loadTrainingState(folder))?.optimizer.steps).toBe(steps);
    step();
    await saveTrainingState(folder, parameters, optimizer);
    expect((await loadTrainingState(folder))?.optimizer.steps).toBe(steps + 1);
  });

  it('is not there before the first save', async () => {
    expect(await loadTrainingState(folder)).toBeUndefined();
  });
});
