import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const SOURCE = new URL('cuda-stand-ins.c', import.meta.url).pathname;

/**
 * Unpacks the wheel of `onnxruntime-gpu` (PyPI, 280 MB) to `folder`, unless it is there, and gives the folder of its libraries.
 * Throws the error of the command that failed.
 */
export async function unpackOnnxruntimeGpu(python: string, version: string, folder: string): Promise<string> {
  const libraries = join(folder, 'onnxruntime', 'capi');
  if (existsSync(join(libraries, 'libonnxruntime_providers_cuda.so'))) return libraries;
  await run(python, [
    '-m',
    'pip',
    'install',
    '--quiet',
    '--no-deps',
    '--target',
    folder,
    `onnxruntime-gpu==${version}`,
  ]);
  return libraries;
}

/**
 * Compiles libraries into `folder` that stand in for those of NVIDIA which the CUDA provider in `libraries` is linked against: they
 * have memory and no kernels. With `folder` in LD_LIBRARY_PATH the provider opens sessions without a GPU. Needs gcc and binutils.
 */
export async function compileStandIns(libraries: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const { stdout } = await run('objdump', ['-T', join(libraries, 'libonnxruntime_providers_cuda.so')], {
    maxBuffer: 2 ** 28,
  });
  const wanted = [...stdout.matchAll(/\*UND\*\s+\S+\s+\S+\s+(_*cu\S+)/g)];
  const empty = wanted.map(([, name]) => `__attribute__((weak)) long ${name}(void) { return 0; }`);
  await writeFile(join(folder, 'empty.c'), [...new Set(empty)].join('\n'));
  const needed = await run('objdump', ['-p', join(libraries, 'libonnxruntime_providers_cuda.so')]);
  for (const name of [...needed.stdout.matchAll(/NEEDED\s+(libcu\S+)/g)].map(([, library]) => library!)) {
    const versions = join(folder, `${name}.map`);
    // The driver's symbols have no version.
    await writeFile(versions, name === 'libcuda.so.1' ? '{ global: *; };' : `${name} { global: *; };`);
    const options = ['-shared', '-fPIC', '-w', `-Wl,-soname,${name}`, `-Wl,--version-script=${versions}`];
    await run('gcc', [...options, '-o', join(folder, name), SOURCE, join(folder, 'empty.c')]);
  }
}
