import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from './run-command.mjs';
import { step } from './step.mjs';

/**
 * Runs `npm ci` when node_modules is missing or does not hold what package-lock.json asks for. What a developer's own
 * `npm install` put there counts.
 *
 * @param {string} root the repository
 * @throws {SetupError} when npm fails or takes more than 20 minutes
 */
export async function installNpmPackages(root) {
  if (packagesAreCurrent(root)) return;
  const network = ['--fetch-timeout=60000', '--fetch-retries=3', '--prefer-offline'];
  await step('install the npm packages (npm ci)', () =>
    runCommand('npm', ['ci', '--no-audit', '--no-fund', ...network], { cwd: root, timeoutMs: 20 * 60_000 }),
  );
}

/** Compares package-lock.json with npm's own record of what it installed, which npm writes last of all. */
export function packagesAreCurrent(root) {
  const record = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(record)) return false;
  const installed = readPackages(record);
  return Object.entries(readPackages(join(root, 'package-lock.json'))).every(([path, wanted]) => {
    if (!path.includes('node_modules/')) return true;
    // Packages of the repository are links, which npm's record leaves out.
    if (wanted.link) return existsSync(join(root, path));
    const found = installed[path];
    return found ? found.version === wanted.version : Boolean(wanted.optional || wanted.devOptional || wanted.peer);
  });
}

function readPackages(file) {
  return JSON.parse(readFileSync(file, 'utf8')).packages;
}
