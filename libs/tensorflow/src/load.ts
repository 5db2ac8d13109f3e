import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import util from 'node:util';
import type * as wasm from '@tensorflow/tfjs-backend-wasm';
import type { NodeJSKernelBackend } from '@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend.js';
import type { TFJSBinding } from '@tensorflow/tfjs-node-gpu/dist/tfjs_binding.js';
import { defaultCacheDirectory, locateTensorflow } from './backend-location.js';
import type { ChosenTensorflow } from './backend-location.js';
import { TensorflowError } from './tensorflow-error.js';
import { tf } from './tf.js';

const require = createRequire(import.meta.url);

/** TensorFlow.js with a backend that computes. */
export interface Tensorflow {
  /** The one instance of TensorFlow.js, with the backend set. */
  readonly tf: typeof tf;
  readonly backend: 'native' | 'wasm';
  /** Version of what computes: TensorFlow's own (native) or the WebAssembly backend's. */
  readonly version: string;
  /** What it computes on, in words. */
  readonly devices: readonly string[];
  /** Why this backend and not another, in a sentence. */
  readonly why: string;
  /**
   * With the native backend only: its tfjs backend. `executeSingleOutput(name, attributes, inputs)` and
   * `executeMultipleOutputs` run any TensorFlow op by its name (outside of gradients).
   */
  readonly native?: NodeJSKernelBackend;
  /** With the native backend only: the C++ binding, for the constants that op attributes need (`TF_ATTR_BOOL`, ...). */
  readonly binding?: TFJSBinding;
}

/** How to load TensorFlow. */
export interface LoadOptions {
  /** Insist on one backend; by default what set-up chose, WebAssembly where it has not run. */
  readonly backend?: 'native' | 'wasm';
  /** The project's cache folder; see {@link defaultCacheDirectory}. */
  readonly cacheDir?: string;
}

type LoadedBackend = Omit<Tensorflow, 'why'>;

const loaded = new Map<string, Promise<LoadedBackend>>();

/**
 * Loads TensorFlow and makes it the backend of the process's one TensorFlow.js. A repeated call gives the same
 * backend back, and makes it the active one again if another was loaded in between.
 *
 * @throws TensorflowError when the asked-for backend is not there; the message says what to run
 */
export async function loadTensorflow(options: LoadOptions = {}): Promise<Tensorflow> {
  const cacheDir = options.cacheDir ?? defaultCacheDirectory();
  const location = options.backend === 'wasm' ? undefined : locateTensorflow(cacheDir);
  const bindingPath = location?.bindingPath;
  if (options.backend === 'native' && !bindingPath) throw new TensorflowError(explain(location?.chosen));
  const key = bindingPath ?? 'wasm';
  let loading = loaded.get(key);
  if (!loading) {
    loading = bindingPath ? loadNative(bindingPath, location?.chosen.gpus ?? []) : loadWasm();
    loaded.set(key, loading);
  }
  const result = await loading;
  await tf.setBackend(result.native ? 'tensorflow' : 'wasm');
  return { ...result, why: options.backend ? 'it was asked for' : explain(location?.chosen) };
}

/**
 * Registers the backend as the package's own entry point would, but with our binding: that entry point looks for one
 * inside node_modules only.
 */
async function loadNative(bindingPath: string, gpus: readonly string[]): Promise<LoadedBackend> {
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2';
  restoreRemovedTypeChecks();
  const binding = requireBinding(bindingPath);
  require('@tensorflow/tfjs-node-gpu/dist/register_all_kernels.js');
  const { NodeJSKernelBackend } =
    require('@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend.js') as typeof import('@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend.js');
  const native = new NodeJSKernelBackend(binding, '@tensorflow/tfjs-node-gpu');
  tf.registerBackend('tensorflow', () => native, 3);
  await tf.setBackend('tensorflow');
  return {
    tf,
    backend: 'native',
    version: binding.TF_Version,
    devices: binding.isUsingGpuDevice() ? [...gpus, cpuName()] : [cpuName()],
    native,
    binding,
  };
}

function requireBinding(path: string): TFJSBinding {
  const quietLoad = join(dirname(path), 'quiet_load.node');
  try {
    if (existsSync(quietLoad)) require(quietLoad);
    return require(path) as TFJSBinding;
  } catch (cause) {
    throw new TensorflowError(`${path} cannot be loaded (${String(cause)}); delete its folder and run: npm run setup`, {
      cause,
    });
  }
}

/** The backend still calls type checks that Node 22 warns of and Node 23 removed from `util`. */
function restoreRemovedTypeChecks(): void {
  Object.assign(util, {
    isNullOrUndefined: (value: unknown) => value === null || value === undefined,
    isArray: Array.isArray,
  });
}

async function loadWasm(): Promise<LoadedBackend> {
  const { setWasmPaths, version_wasm } = require('@tensorflow/tfjs-backend-wasm') as typeof wasm;
  setWasmPaths(join(dirname(require.resolve('@tensorflow/tfjs-backend-wasm/package.json')), 'dist/'));
  if (!(await tf.setBackend('wasm'))) throw new TensorflowError('the WebAssembly backend cannot be started');
  return { tf, backend: 'wasm', version: version_wasm, devices: [cpuName()] };
}

function explain(chosen: ChosenTensorflow | undefined): string {
  if (!chosen) return 'native TensorFlow has not been set up; run: npm run setup';
  if (chosen.failures.length === 0) return `the ${chosen.source}: the best there is for this machine`;
  const reasons = chosen.failures.map(({ source, reason }) => `${source}: ${reason}`);
  return `the ${chosen.source}, since better could not be had (${reasons.join('; ')})`;
}

function cpuName(): string {
  const all = cpus();
  return `CPU (${all[0]?.model.trim() || process.arch}, ${all.length} threads)`;
}
