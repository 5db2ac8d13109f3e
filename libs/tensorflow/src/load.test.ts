import { mkdtempSync, mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { defaultCacheDirectory, locateTensorflow } from './backend-location.js';
import { loadTensorflow } from './load.js';
import { TensorflowError } from './tensorflow-error.js';

const require = createRequire(import.meta.url);
const native = locateTensorflow(defaultCacheDirectory())?.chosen.backend === 'native';

describe('loadTensorflow', () => {
  it('computes a gradient on WebAssembly', async () => {
    const { tf, backend, version, devices } = await loadTensorflow({ backend: 'wasm' });
    expect(backend).toBe('wasm');
    expect(version).toMatch(/^4\./);
    expect(devices[0]).toMatch(/^CPU/);
    expect(tf.getBackend()).toBe('wasm');
    const slope = tf.grad((x) => tf.sum(tf.square(x)))(tf.tensor1d([1, 2, 3]));
    expect([...(await slope.data())]).toEqual([2, 4, 6]);
  });

  it.runIf(native)('computes the same gradient natively, on the same TensorFlow.js', async () => {
    const { tf, backend, version } = await loadTensorflow({ backend: 'native' });
    expect(backend).toBe('native');
    expect(version).toMatch(/^2\./);
    expect(tf.getBackend()).toBe('tensorflow');
    expect(require('@tensorflow/tfjs')).toBe(tf);
    const slope = tf.grad((x) => tf.sum(tf.square(x)))(tf.tensor1d([1, 2, 3]));
    expect([...(await slope.data())]).toEqual([2, 4, 6]);
  });

  it.runIf(native)('runs any TensorFlow op by its name', async () => {
    const { tf, native, binding } = await loadTensorflow({ backend: 'native' });
    const values = tf.tensor2d([[3, 1, 2]]);
    const type = { name: 'T', type: binding!.TF_ATTR_TYPE, value: binding!.TF_FLOAT };
    const sums = native!.executeSingleOutput(
      'Cumsum',
      [
        { name: 'exclusive', type: binding!.TF_ATTR_BOOL, value: false },
        { name: 'reverse', type: binding!.TF_ATTR_BOOL, value: true },
        type,
        { name: 'Tidx', type: binding!.TF_ATTR_TYPE, value: binding!.TF_INT32 },
      ],
      [values, tf.scalar(1, 'int32')],
    );
    const tensor = tf.engine().makeTensorFromTensorInfo(sums);
    expect([...(await tensor.data())]).toEqual([6, 3, 2]);
  });

  it('says what to run where set-up has not been', async () => {
    const cacheDir = mkdtempSync(join(tmpdir(), 'mpa-cache-'));
    await expect(loadTensorflow({ backend: 'native', cacheDir })).rejects.toThrow(/npm run setup/);
    expect((await loadTensorflow({ cacheDir })).backend).toBe('wasm');
  });

  it('refuses a damaged cache', async () => {
    const cacheDir = mkdtempSync(join(tmpdir(), 'mpa-cache-'));
    mkdirSync(join(cacheDir, 'tensorflow'));
    writeFileSync(join(cacheDir, 'tensorflow', 'chosen.json'), '{ "backend": ');
    await expect(loadTensorflow({ cacheDir })).rejects.toThrow(TensorflowError);
  });
});
