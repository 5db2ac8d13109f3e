import { mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { runCommand } from '../run-command.mjs';
import { SetupError } from '../setup-error.mjs';
import { step } from '../step.mjs';
import { BINDING, HEADERS, LIBRARIES, QUIET_LOAD, QUIET_LOAD_SOURCE, bindingSources, napiHeaders } from './release.mjs';

/** Shared libraries, less NVIDIA's that replace or record other libraries' calls once loaded. */
const LINKED = /^lib(?!nvblas|accinj|cuinj).*\.so(\.\d+)*$/;

const COMPILER = process.env.CXX || 'g++';

/** @throws {SetupError} when there is no C++ compiler, before anything large is downloaded for it */
export async function requireCompiler() {
  try {
    await runCommand(COMPILER, ['--version'], { timeoutMs: 20_000 });
  } catch (cause) {
    throw new SetupError(`the C++ compiler ${COMPILER} is missing (Debian: apt install g++)`, { cause });
  }
}

/**
 * Compiles the two C++ files of `@tensorflow/tfjs-node-gpu` against the TensorFlow in `folder`, with plain g++ (or `CXX`).
 * Every library in the folder is linked by name, so that CUDA's are already loaded when TensorFlow looks for them.
 *
 * @param {string} folder holds `deps/lib` and `deps/include`; the binding is written to it
 * @throws {SetupError} without a compiler, or when compiling fails
 */
export async function compileBinding(folder) {
  const common = [
    ...['-O2', '-shared', '-fPIC', '-std=c++17', '-DNAPI_VERSION=8', `-I${napiHeaders()}`],
    `-Wl,-rpath,$ORIGIN/../../${LIBRARIES}`,
  ];
  const libraries = readdirSync(join(folder, LIBRARIES)).filter((name) => LINKED.test(name));
  mkdirSync(join(folder, dirname(BINDING)), { recursive: true });
  await step(`compile the TensorFlow binding with ${COMPILER}`, async () => {
    await runCommand(COMPILER, [...common, ...bindingArguments(folder, libraries)], { timeoutMs: 600_000 });
    await runCommand(COMPILER, [...common, ...quietLoadArguments(folder, libraries)], { timeoutMs: 60_000 });
  });
}

function bindingArguments(folder, libraries) {
  const sources = bindingSources();
  return [
    ...[`-I${sources}`, `-I${join(folder, HEADERS)}`],
    ...['tfjs_backend.cc', 'tfjs_binding.cc'].map((name) => join(sources, 'binding', name)),
    ...['-o', join(folder, BINDING), '-Wl,--no-as-needed'],
    ...libraries.map((name) => join(folder, LIBRARIES, name)),
  ];
}

function quietLoadArguments(folder, libraries) {
  const main = libraries.find((name) => /^libtensorflow(_cc)?\.so\.2$/.test(name));
  return [`-DTENSORFLOW_LIBRARY="${main}"`, QUIET_LOAD_SOURCE, '-o', join(folder, QUIET_LOAD), '-ldl'];
}
