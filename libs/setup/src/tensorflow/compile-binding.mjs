import { mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { runCommand } from '../run-command.mjs';
import { step } from '../step.mjs';
import { BINDING, HEADERS, LIBRARIES, bindingSources, napiHeaders } from './release.mjs';

/** Shared libraries, less NVIDIA's that replace or record other libraries' calls once loaded. */
const LINKED = /^lib(?!nvblas|accinj|cuinj).*\.so(\.\d+)*$/;

/**
 * Compiles the two C++ files of `@tensorflow/tfjs-node-gpu` against the TensorFlow in `folder`, with plain g++ (or `CXX`).
 * Every library in the folder is linked by name, so that CUDA's are already loaded when TensorFlow looks for them.
 *
 * @param {string} folder holds `deps/lib` and `deps/include`; the binding is written to it
 * @throws {SetupError} without a compiler, or when compiling fails
 */
export async function compileBinding(folder) {
  const sources = bindingSources();
  const output = join(folder, BINDING);
  mkdirSync(dirname(output), { recursive: true });
  const libraries = readdirSync(join(folder, LIBRARIES)).filter((name) => LINKED.test(name));
  const compiler = process.env.CXX || 'g++';
  const args = [
    ...['-O2', '-shared', '-fPIC', '-std=c++17', '-DNAPI_VERSION=8'],
    ...[`-I${sources}`, `-I${napiHeaders()}`, `-I${join(folder, HEADERS)}`],
    ...['tfjs_backend.cc', 'tfjs_binding.cc'].map((name) => join(sources, 'binding', name)),
    ...['-o', output, '-Wl,--no-as-needed', `-Wl,-rpath,$ORIGIN/../../${LIBRARIES}`],
    ...libraries.map((name) => join(folder, LIBRARIES, name)),
  ];
  await step(`compile the TensorFlow binding with ${compiler}`, () =>
    runCommand(compiler, args, { timeoutMs: 600_000 }),
  );
}
