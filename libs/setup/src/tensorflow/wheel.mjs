import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommand } from '../run-command.mjs';
import { SetupError } from '../setup-error.mjs';
import { step } from '../step.mjs';
import { HEADERS, LIBRARIES, TENSORFLOW_VERSION } from './release.mjs';

const EXTRACT = fileURLToPath(new URL('extract-members.py', import.meta.url));
const PYTHON = 'python3';
const MINUTE = 60_000;

/** What `tensorflow[and-cuda]` asks for, less what only compiles XLA programs. */
const CUDA_WHEELS = [
  'nvidia-cublas-cu12>=12.5.3.2,<13',
  'nvidia-cuda-cupti-cu12>=12.5.82,<13',
  'nvidia-cuda-nvrtc-cu12>=12.5.82,<13',
  'nvidia-cuda-runtime-cu12>=12.5.82,<13',
  'nvidia-cudnn-cu12>=9.3.0.75,<10',
  'nvidia-cufft-cu12>=11.2.3.61,<12',
  'nvidia-curand-cu12>=10.3.6.82,<11',
  'nvidia-cusolver-cu12>=11.6.3.83,<12',
  'nvidia-cusparse-cu12>=12.5.1.3,<13',
  'nvidia-nccl-cu12>=2.27.7,<3',
  'nvidia-nvjitlink-cu12>=12.5.82,<13',
];

/**
 * Puts TensorFlow's shared libraries and headers, taken from the Python wheel, into `folder`. Only the C++ parts are
 * used, so the wheel need not match the installed Python: any python3 with pip does. pip checks the download's hash.
 *
 * @param {string} folder empty folder to fill
 * @param {{cuda: boolean, downloads: string}} options `downloads` keeps finished wheels, so that a run that was
 *   interrupted does not fetch them again
 * @throws {SetupError} without Linux, python3 with pip, network, or a wheel for this machine
 */
export async function unpackWheel(folder, { cuda, downloads }) {
  const machine = { x64: 'x86_64', arm64: 'aarch64' }[process.arch];
  if (process.platform !== 'linux' || !machine) {
    throw new SetupError(`no TensorFlow wheel is used on ${process.platform} ${process.arch}`);
  }
  await requirePip();
  const name = cuda || machine === 'aarch64' ? 'tensorflow' : 'tensorflow-cpu';
  const wheel = await downloadWheel(`${name}==${TENSORFLOW_VERSION}`, { machine, downloads });
  await step('unpack the C++ part of TensorFlow', () =>
    extract(wheel, folder, [
      `tensorflow/libtensorflow_*.so.*=${LIBRARIES}`,
      `tensorflow/include/*=${HEADERS}:tensorflow/include/`,
    ]),
  );
  for (const requirement of cuda ? CUDA_WHEELS : []) {
    const part = await downloadWheel(requirement, { machine, downloads });
    await extract(part, folder, [`nvidia/*/lib/*.so*=${LIBRARIES}`]);
  }
}

async function requirePip() {
  try {
    await runCommand(PYTHON, ['-m', 'pip', '--version'], { timeoutMs: MINUTE });
  } catch (cause) {
    throw new SetupError('python3 with pip is missing (Debian: apt install python3-pip)', { cause });
  }
}

async function downloadWheel(requirement, { machine, downloads }) {
  const kept = join(downloads, `${requirement.replace(/[^\w.=-]/g, '_')}-${machine}`);
  if (!existsSync(kept)) {
    mkdirSync(downloads, { recursive: true });
    const partial = mkdtempSync(join(downloads, 'partial-'));
    try {
      await step(`download ${requirement} with pip`, () =>
        runCommand(PYTHON, pipArguments(requirement, { machine, into: partial }), { timeoutMs: 15 * MINUTE }),
      );
      renameSync(partial, kept);
    } finally {
      rmSync(partial, { recursive: true, force: true });
    }
  }
  const wheel = readdirSync(kept).find((file) => file.endsWith('.whl'));
  if (!wheel) throw new SetupError(`pip downloaded no wheel of ${requirement} into ${kept}; delete that folder`);
  return join(kept, wheel);
}

function pipArguments(requirement, { machine, into }) {
  const platforms = ['manylinux_2_28', 'manylinux_2_27', 'manylinux_2_17', 'manylinux2014'];
  return [
    ...['-m', 'pip', 'download', '--no-deps', '--only-binary=:all:', '--disable-pip-version-check', '--no-input'],
    ...['--timeout', '20', '--retries', '2', '--progress-bar', 'off', '--dest', into],
    ...['--implementation', 'cp', '--python-version', '3.12', '--abi', 'cp312'],
    ...platforms.flatMap((platform) => ['--platform', `${platform}_${machine}`]),
    requirement,
  ];
}

async function extract(wheel, folder, rules) {
  const count = Number(await runCommand(PYTHON, [EXTRACT, wheel, folder, ...rules], { timeoutMs: 10 * MINUTE }));
  if (!(count > 0)) throw new SetupError(`${wheel} holds none of ${rules.join(', ')}`);
}
