import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { loadTensorflow } from '@mpa/tensorflow';
import { allChecks } from './all-checks.js';
import { passed } from './check.js';
import { openOracleFolder } from './oracle-folder.js';

/** Runs every check of a folder and prints one line each. Gives the number that failed. */
async function conformance(dir: string): Promise<number> {
  const temporary = await mkdtemp(join(tmpdir(), 'mpa-conformance-'));
  let failed = 0;
  let count = 0;
  try {
    const { backend, version } = await loadTensorflow();
    console.log(`${dir}: largest absolute differences; TensorFlow ${version} (${backend})`);
    for await (const check of allChecks(await openOracleFolder(dir), temporary)) {
      count++;
      if (!passed(check)) failed++;
      const { difference, tolerance } = check;
      const numbers =
        tolerance === 0 && Number.isInteger(difference)
          ? `${difference} differ`
          : `${difference.toExponential(2)} of ${tolerance.toExponential(0)}`;
      const detail = passed(check) || !check.detail ? '' : `  ${check.detail}`;
      console.log(`${passed(check) ? 'pass' : 'FAIL'}  ${numbers.padEnd(20)}  ${check.name}${detail}`);
    }
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
  console.log(`${count - failed} passed, ${failed} failed`);
  return failed;
}

const [dir, ...rest] = process.argv.slice(2);
if (dir === undefined || rest.length > 0) {
  console.error('usage: npm run conformance -- FOLDER');
  process.exitCode = 2;
} else {
  try {
    process.exitCode = (await conformance(resolve(dir))) === 0 ? 0 : 1;
  } catch (error) {
    console.error(`conformance: ${(error as Error).message}`);
    process.exitCode = 1;
  }
}
