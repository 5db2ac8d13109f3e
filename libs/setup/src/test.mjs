/**
 * `npm test [-- VITEST ARGUMENTS]`: sets up whatever is missing, then checks types, style, generated code, and runs the
 * tests; with arguments, vitest alone with those. The last line is `N passed, N failed`, with `, N skipped` if any; a
 * check counts as one.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { REPOSITORY_ROOT } from './repository-root.mjs';
import { setUp } from './set-up.mjs';
import { SetupError } from './setup-error.mjs';
import { step } from './step.mjs';
import { summarizeVitest } from './vitest-summary.mjs';

const bin = (...parts) => join(REPOSITORY_ROOT, 'node_modules', ...parts);
const CHECKS = {
  'types (tsc -b)': [process.execPath, bin('typescript', 'bin', 'tsc'), '-b'],
  'pages of the console (vite build)': [process.execPath, join(REPOSITORY_ROOT, 'libs', 'setup', 'src', 'pages.mjs')],
  'lint and layer rules (eslint)': [process.execPath, bin('eslint', 'bin', 'eslint.js'), '.', '--max-warnings=0'],
  'format (prettier)': [process.execPath, bin('prettier', 'bin', 'prettier.cjs'), '--check', '--log-level=warn', '.'],
  'contracts (buf lint)': ['npm', 'run', '--silent', 'proto:lint'],
  'contracts break no caller (buf breaking)': ['npm', 'run', '--silent', 'proto:breaking'],
  'generated code is current': ['npm', 'run', '--silent', 'proto:check'],
};

async function succeeds(command, args) {
  const child = spawn(command, args, { cwd: REPOSITORY_ROOT, stdio: ['ignore', 'inherit', 'inherit'] });
  const [code] = await once(child, 'close');
  return code === 0;
}

async function runChecks(total) {
  for (const [name, [command, ...args]] of Object.entries(CHECKS)) {
    const passed = await step(name, () => succeeds(command, args));
    total[passed ? 'passed' : 'failed'] += 1;
    if (!passed) console.log(`FAILED: ${name}`);
  }
}

async function runVitest(args) {
  const folder = mkdtempSync(join(tmpdir(), 'mpa-test-'));
  const file = join(folder, 'vitest.json');
  try {
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
    const passed = await succeeds(process.execPath, [bin('vitest', 'vitest.mjs'), 'run', ...reporters, ...args]);
    return summarizeVitest(file, !passed);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function main(args) {
  const total = { passed: 0, failed: 0, skipped: 0 };
  try {
    await setUp({ build: args.length > 0 });
    if (args.length === 0) await runChecks(total);
    const tests = await runVitest(args);
    for (const key of Object.keys(total)) total[key] += tests[key];
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.log(`FAILED: set-up: ${error.message}`);
    total.failed += 1;
  }
  const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : '';
  console.log(`${total.passed} passed, ${total.failed} failed${skipped}`);
  return total.failed > 0 ? 1 : 0;
}

process.exitCode = await main(process.argv.slice(2));
