import { cacheDirectory } from './cache-directory.mjs';
import { requireNodeVersion } from './node-version.mjs';
import { installNpmPackages } from './npm-packages.mjs';
import { oneAtATime } from './one-at-a-time.mjs';
import { REPOSITORY_ROOT } from './repository-root.mjs';
import { SetupError } from './setup-error.mjs';
import { say } from './step.mjs';
import { chooseTensorflow } from './tensorflow/choose-tensorflow.mjs';
import { buildTypescript } from './typescript-build.mjs';
import { buildPages } from './pages-build.mjs';

/**
 * Does what is missing before anything of the project can run: npm packages, TensorFlow, compiled TypeScript, the pages.
 * What is there already costs a fraction of a second; what was interrupted is taken up again. One at a time: another one for
 * the same clone waits.
 *
 * @param {{build?: boolean, retry?: boolean}} options `build: false` leaves TypeScript and pages alone;
 *   `retry` tries again for a better TensorFlow than an earlier fallback
 * @throws {SetupError} when a step fails that nothing else can stand in for
 */
export async function setUp({ build = true, retry = false } = {}) {
  requireNodeVersion();
  await oneAtATime(REPOSITORY_ROOT, async () => {
    await installNpmPackages(REPOSITORY_ROOT);
    const { backend, source, version } = await chooseTensorflow(cacheDirectory(), { retry });
    if (backend === 'wasm') say('TensorFlow: WebAssembly, slow; `npm run setup` tries again for a faster one');
    else say(`TensorFlow ${version} (${source})`);
    if (!build) return;
    await buildTypescript(REPOSITORY_ROOT);
    await buildPages(REPOSITORY_ROOT);
  });
}

/** Runs a main function; a set-up error ends the process with its message, and code 1. */
export async function runMain(main) {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    say(error.message);
    process.exitCode = 1;
  }
}
