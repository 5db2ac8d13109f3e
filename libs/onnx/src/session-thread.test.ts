import { setImmediate } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { OnnxError } from './onnx-error.js';
import { openOracleModel } from './oracle-model.fixture.js';
import { SessionThread } from './session-thread.js';

const prompt = { ids: Int32Array.of(7, 30, 112), images: [] };

it('leaves the main thread free while a model runs', async () => {
  const { model, close } = await openOracleModel();
  let running = true;
  const generated = model
    .generate([prompt], { maxNewTokens: 200, minNewTokens: 200, temperature: 1, answers: 4 })
    .finally(() => (running = false));
  let turns = 0;
  while (running) {
    await setImmediate();
    turns++;
  }
  await generated;
  await close();
  // A model on this thread leaves a handful of turns of the event loop; one beside it thousands.
  expect(turns).toBeGreaterThan(100);
});

it('finishes what was asked before closing, and refuses what comes after', async () => {
  const { model, close } = await openOracleModel();
  const running = model.generate([prompt], { maxNewTokens: 20, minNewTokens: 20 });
  await close();
  expect((await running)[0]![0]!.ids.length).toBe(20);
  await expect(model.generate([prompt], { maxNewTokens: 2 })).rejects.toThrow(/The model was closed/);
});

it('says what ONNX Runtime refuses', async () => {
  const thread = new SessionThread();
  await expect(thread.open('text', '/no/such/model.onnx', {})).rejects.toThrow(OnnxError);
  await expect(thread.open('text', '/no/such/model.onnx', {})).rejects.toThrow(/no\/such\/model.onnx/);
  await thread.close();
});
