/** `npm run setup [-- --cuda] [--no-build]`: sets up whatever is missing, and says what it does. */
import { parseArgs } from 'node:util';
import { installOnnxruntimeCuda } from './onnxruntime-cuda.mjs';
import { REPOSITORY_ROOT } from './repository-root.mjs';
import { SetupError } from './setup-error.mjs';
import { runMain, setUp } from './set-up.mjs';

function readFlags() {
  try {
    const options = { cuda: { type: 'boolean', default: false }, build: { type: 'boolean', default: true } };
    return parseArgs({ options, allowNegative: true }).values;
  } catch (cause) {
    throw new SetupError(`${cause.message}; the flags are --cuda and --no-build`, { cause });
  }
}

await runMain(async () => {
  const { cuda, build } = readFlags();
  await setUp({ build, retry: true });
  if (cuda) await installOnnxruntimeCuda(REPOSITORY_ROOT);
});
