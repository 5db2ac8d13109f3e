import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The TensorFlow release whose wheel the binding is compiled against. */
export const TENSORFLOW_VERSION = '2.21.0';

/** The libtensorflow release that `@tensorflow/tfjs-node-gpu` 4.22 itself downloads. */
export const OFFICIAL_VERSION = '2.9.1';

/**
 * Where a TensorFlow folder keeps its parts; the layout that the published binding's own run path expects
 * (`$ORIGIN/../../deps/lib`), used for every source.
 */
export const LIBRARIES = join('deps', 'lib');
export const HEADERS = join('deps', 'include');
export const BINDING = join('lib', 'napi', 'tfjs_binding.node');
export const QUIET_LOAD = join('lib', 'napi', 'quiet_load.node');

/** Our own addition to the binding: loads TensorFlow without its notes on standard error. */
export const QUIET_LOAD_SOURCE = fileURLToPath(new URL('quiet-load.cc', import.meta.url));

const fromTensorflowLibrary = createRequire(
  fileURLToPath(new URL('../../../tensorflow/package.json', import.meta.url)),
);

/** Folder of the npm package with the binding's C++ sources. */
export function bindingSources() {
  return dirname(fromTensorflowLibrary.resolve('@tensorflow/tfjs-node-gpu/package.json'));
}

/** Folder of the N-API headers. */
export function napiHeaders() {
  return join(dirname(fromTensorflowLibrary.resolve('node-api-headers/package.json')), 'include');
}

/**
 * Name of the cache folder of one way to have TensorFlow: changes with the release, its source, the machine's kind and
 * the binding's sources, so that a folder once complete never has to be looked into again.
 */
export function folderName(version, source) {
  const hash = createHash('sha256').update(`${source} ${process.platform} ${process.arch}`);
  const folder = join(bindingSources(), 'binding');
  const files = readdirSync(folder).sort();
  for (const path of [...files.map((name) => join(folder, name)), QUIET_LOAD_SOURCE]) hash.update(readFileSync(path));
  return `${version}-${hash.digest('hex').slice(0, 12)}`;
}

/** Whether this machine shows an NVIDIA GPU (by its device file: no program has to be installed or run). */
export function hasNvidiaGpu() {
  return process.platform === 'linux' && existsSync('/dev/nvidia0');
}
