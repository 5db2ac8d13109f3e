/** `node libs/setup/src/tensorflow.mjs --cpu|--cuda`: TensorFlow alone, for an image, whose GPU is not there while it is built. */
import { parseArgs } from 'node:util';
import { cacheDirectory } from './cache-directory.mjs';
import { runMain } from './set-up.mjs';
import { SetupError } from './setup-error.mjs';
import { say } from './step.mjs';
import { fetchTensorflow } from './tensorflow/choose-tensorflow.mjs';

function readFlags() {
  try {
    const { cpu, cuda } = parseArgs({ options: { cpu: { type: 'boolean' }, cuda: { type: 'boolean' } } }).values;
    if (Boolean(cpu) !== Boolean(cuda)) return { cuda: Boolean(cuda) };
    throw new Error('give one of the two');
  } catch (cause) {
    throw new SetupError(`${cause.message}; the flags are --cpu and --cuda`, { cause });
  }
}

await runMain(async () => {
  const { source, version } = await fetchTensorflow(cacheDirectory(), readFlags());
  say(`TensorFlow ${version} (${source})`);
});
