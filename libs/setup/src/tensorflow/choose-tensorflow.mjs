import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommand } from '../run-command.mjs';
import { SetupError } from '../setup-error.mjs';
import { say, step } from '../step.mjs';
import { compileBinding, requireCompiler } from './compile-binding.mjs';
import { unpackOfficialDownload } from './official-download.mjs';
import { BINDING, HEADERS, OFFICIAL_VERSION, TENSORFLOW_VERSION, folderName, hasNvidiaGpu } from './release.mjs';
import { unpackWheel } from './wheel.mjs';

const TRY_BINDING = fileURLToPath(new URL('try-binding.mjs', import.meta.url));
const RETRY_FALLBACK_MS = 60 * 60_000;
const GIGABYTE = 1e9;

/**
 * Makes sure that the cache holds the best TensorFlow this machine can have, and writes what was chosen, and why not
 * something better, to `chosen.json` there: the wheel for GPUs where one is found, else the wheel for CPUs, else the
 * official download, else WebAssembly, which needs nothing. Returns at once when that was done before; a fallback is
 * tried to be improved after an hour, or with `retry`.
 *
 * @param {string} cache the project's cache folder
 * @param {{retry: boolean}} options
 * @returns {Promise<{backend: 'native' | 'wasm', source: string, version: string, why: string}>} what `chosen.json` says
 */
export async function chooseTensorflow(cache, { retry }) {
  const root = join(cache, 'tensorflow');
  mkdirSync(root, { recursive: true });
  const sources = availableSources(join(root, 'downloads'));
  const earlier = readChoice(root);
  if (earlier && isCurrent(earlier, sources, root, retry)) return earlier;

  removeRemains(root);
  const failures = [];
  for (const source of sources) {
    try {
      const made = await make(source, root);
      return record(root, { backend: 'native', ...made, failures });
    } catch (error) {
      if (!(error instanceof SetupError)) throw error;
      say(`no TensorFlow from the ${source.name}: ${error.message}`);
      failures.push({ source: source.name, reason: error.message.replaceAll(/\s*\n\s*/g, ' ') });
    }
  }
  say('training will use WebAssembly, which is many times slower');
  return record(root, {
    backend: 'wasm',
    source: 'WebAssembly',
    version: '',
    folder: '',
    binding: '',
    gpus: [],
    failures,
  });
}

/**
 * Puts the wheel for CPUs, or for NVIDIA GPUs, into the cache, for a machine like this one that may have a GPU where this one
 * has none: an image. Nothing else will do.
 *
 * @param {string} cache the project's cache folder
 * @param {{cuda: boolean}} options
 * @returns {Promise<{source: string, version: string}>} what `chosen.json` says
 * @throws {SetupError} when it cannot be had
 */
export async function fetchTensorflow(cache, { cuda }) {
  const root = join(cache, 'tensorflow');
  mkdirSync(root, { recursive: true });
  const made = await make({ ...wheel(cuda, join(root, 'downloads')), unseen: true }, root);
  return record(root, { backend: 'native', ...made, failures: [] });
}

/** The ways to have TensorFlow natively, best first. */
function availableSources(downloads) {
  const official = {
    name: 'official download',
    version: OFFICIAL_VERSION,
    cuda: false,
    bytes: 1.5 * GIGABYTE,
    fill: unpackOfficialDownload,
    clean: () => {},
  };
  return [...(hasNvidiaGpu() ? [wheel(true, downloads)] : []), wheel(false, downloads), official];
}

function wheel(cuda, downloads) {
  return {
    name: cuda ? 'wheel for NVIDIA GPUs' : 'wheel for CPUs',
    version: TENSORFLOW_VERSION,
    cuda,
    bytes: cuda ? 12 * GIGABYTE : 1.5 * GIGABYTE,
    async fill(folder) {
      await requireCompiler();
      await unpackWheel(folder, { cuda, downloads });
      await compileBinding(folder);
      rmSync(join(folder, HEADERS), { recursive: true });
    },
    clean: () => rmSync(downloads, { recursive: true, force: true }),
  };
}

/** Removes what killed runs left; another run's folder is younger than the hour that all its time limits add up to. */
function removeRemains(root) {
  for (const folder of [root, join(root, 'downloads')].filter((path) => existsSync(path))) {
    for (const name of readdirSync(folder).filter((entry) => entry.startsWith('partial-'))) {
      const path = join(folder, name);
      if (Date.now() - statSync(path).mtimeMs > RETRY_FALLBACK_MS) rmSync(path, { recursive: true, force: true });
    }
  }
}

function readChoice(root) {
  try {
    return JSON.parse(readFileSync(join(root, 'chosen.json'), 'utf8'));
  } catch {
    return undefined;
  }
}

function isCurrent(choice, sources, root, retry) {
  const best = sources[0];
  if (choice.source === best.name) {
    return choice.folder === folderName(best.version, best.name) && existsSync(join(root, choice.binding));
  }
  const usable = choice.backend === 'wasm' || existsSync(join(root, choice.binding));
  return usable && !retry && Date.now() - Date.parse(choice.chosenAt) < RETRY_FALLBACK_MS;
}

/** Fills a temporary folder and renames it when all of it works, so that a folder with the final name is complete. */
async function make(source, root) {
  const folder = folderName(source.version, source.name);
  const final = join(root, folder);
  if (!existsSync(final)) {
    const { bavail, bsize } = statfsSync(root);
    if (bavail * bsize < source.bytes) {
      throw new SetupError(`it needs ${source.bytes / GIGABYTE} GB free in ${root}; MPA_CACHE names another place`);
    }
    const temporary = mkdtempSync(join(root, 'partial-'));
    try {
      await source.fill(temporary);
      await check(temporary, source);
      // An image's user is not who made it.
      chmodSync(temporary, 0o755);
      if (!existsSync(final)) renameSync(temporary, final);
    } finally {
      rmSync(temporary, { recursive: true, force: true });
    }
  }
  const { version } = await check(final, source);
  source.clean();
  return {
    source: source.name,
    version,
    folder,
    binding: join(folder, BINDING),
    gpus: source.cuda ? await gpuNames() : [],
  };
}

async function check(folder, source) {
  const env = { ...process.env, TF_CPP_MIN_LOG_LEVEL: '3' };
  const printed = await step('try the TensorFlow binding', () =>
    runCommand(process.execPath, [TRY_BINDING, join(folder, BINDING)], { timeoutMs: 180_000, env }),
  );
  const { version, gpu } = JSON.parse(printed.trim().split('\n').at(-1));
  if (source.cuda && !source.unseen && !gpu)
    throw new SetupError('it loads, but sees no GPU; is the NVIDIA driver recent enough?');
  return { version };
}

async function gpuNames() {
  try {
    const names = await runCommand('nvidia-smi', ['--query-gpu=name', '--format=csv,noheader'], { timeoutMs: 20_000 });
    return names.trim().split('\n');
  } catch {
    return ['NVIDIA GPU'];
  }
}

function record(root, choice) {
  const written = { ...choice, chosenAt: new Date().toISOString() };
  const partial = join(root, `chosen.json.${process.pid}`);
  writeFileSync(partial, `${JSON.stringify(written, null, 2)}\n`);
  renameSync(partial, join(root, 'chosen.json'));
  return written;
}
