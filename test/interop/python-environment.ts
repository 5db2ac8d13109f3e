import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { defaultCacheDirectory } from '@mpa/tensorflow';

/** What this project is compared with and has to get on with, installed by pip into a folder of its own. */
const REQUIREMENTS = [
  'torch',
  'torchvision',
  'transformers[serving]',
  'peft',
  'safetensors',
  'pillow',
  'num2words',
  'pyarrow',
];

/** Bumped with {@link REQUIREMENTS}, so that an environment made before is completed. */
const READY = 'ready-3';

/**
 * The Python interpreter of an environment that has transformers, PyTorch and PEFT: in the cache (`MPA_CACHE`), made when it is not
 * there. Throws an error naming the command that failed.
 */
export async function pythonEnvironment(): Promise<string> {
  const environment = join(defaultCacheDirectory(), 'bench-venv');
  const python = join(environment, 'bin', 'python');
  if (existsSync(join(environment, READY))) return python;
  console.log(`installing ${REQUIREMENTS.join(', ')} into ${environment}`);
  await run('python3', ['-m', 'venv', environment]);
  await run(python, ['-m', 'pip', 'install', '--quiet', '--timeout', '60', ...REQUIREMENTS]);
  await run('touch', [join(environment, READY)]);
  return python;
}

async function run(command: string, args: readonly string[]): Promise<void> {
  const child = spawn(command, args, { stdio: 'inherit' });
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} failed`);
}
