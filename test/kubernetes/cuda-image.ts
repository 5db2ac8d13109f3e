import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeImage } from './base-image.js';
import { CACHE } from './go-programs.js';
import { runProgram } from './run-program.js';

const DOWNLOAD_MS = 20 * 60_000;

/**
 * A root file system with the libraries of `nvidia/cuda:VERSION-cudnn-runtime-...`, as NVIDIA puts them on PyPI, over Debian and Node.js.
 * Made once, in the cache (1.1 GB to fetch). Throws an Error when a download fails.
 */
export async function cudaImage(version: string): Promise<string> {
  return madeOnce(`cuda-${version}`, async (work, folder) => {
    const toolkit = `cuda-toolkit[cublas,cudart,curand,nvrtc]==${version}`;
    const [major] = version.split('.');
    await unpackWheels(work, [toolkit, `nvidia-cudnn-cu${major}`]);
    await runProgram('cp', ['-a', await nodeImage(), folder], { timeoutMs: DOWNLOAD_MS });
    const libraries = '/usr/local/cuda/lib64';
    for (const part of [`cu${major}`, 'cudnn'])
      copyLibraries(join(work, 'wheels/nvidia', part, 'lib'), join(folder, libraries));
    writeFileSync(join(folder, 'etc/ld.so.conf.d/cuda.conf'), `${libraries}\n`);
    await runProgram('chroot', [folder, '/sbin/ldconfig'], { timeoutMs: DOWNLOAD_MS });
  });
}

/**
 * What the Dockerfile's stage `onnxruntime-cuda` fetches from NuGet, from the wheel of the same version on PyPI. Made once, in the
 * cache (250 MB to fetch). Throws an Error when a download fails.
 *
 * @param folder in the stage's root file system where the libraries are
 */
export async function onnxruntimeCuda(version: string, folder: string): Promise<string> {
  return madeOnce(`onnxruntime-cuda-${version}`, async (work, root) => {
    await unpackWheels(work, ['--no-deps', `onnxruntime-gpu==${version}`]);
    copyLibraries(join(work, 'wheels/onnxruntime/capi'), join(root, folder));
  });
}

/** Fills a folder beside, and renames it: one that is there is complete. */
async function madeOnce(name: string, fill: (work: string, folder: string) => Promise<void>): Promise<string> {
  const folder = join(CACHE, name);
  if (existsSync(folder)) return folder;
  mkdirSync(CACHE, { recursive: true });
  const work = mkdtempSync(`${folder}.tmp-`);
  try {
    await fill(work, join(work, 'root'));
    renameSync(join(work, 'root'), folder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return folder;
}

function copyLibraries(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const name of readdirSync(from)) if (name.includes('.so')) cpSync(join(from, name), join(to, name));
}

async function unpackWheels(work: string, packages: readonly string[]): Promise<void> {
  const platforms = ['manylinux2014_x86_64', 'manylinux_2_27_x86_64', 'manylinux_2_28_x86_64'];
  const wheels = [
    '--only-binary',
    ':all:',
    '--python-version',
    '3.12',
    ...platforms.flatMap((each) => ['--platform', each]),
  ];
  const install = ['install', '-q', '--no-cache-dir', '--target', join(work, 'wheels'), ...wheels, ...packages];
  await runProgram('pip', install, { timeoutMs: DOWNLOAD_MS });
}
