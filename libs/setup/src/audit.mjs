/**
 * `npm run audit`: whether what the product runs with is permissively licensed, and has no known vulnerability of severity high or
 * critical, as the registry knows it. Exit code 1 when not, and when the registry cannot be asked: an audit that was not made is not passed.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { refusedLicences } from './licences.mjs';
import { REPOSITORY_ROOT } from './repository-root.mjs';
import { runCommand } from './run-command.mjs';
import { runMain } from './set-up.mjs';
import { SetupError } from './setup-error.mjs';
import { say } from './step.mjs';

const AUDIT_MS = 2 * 60_000;

await runMain(async () => {
  const refused = refusedLicences(JSON.parse(readFileSync(join(REPOSITORY_ROOT, 'package-lock.json'), 'utf8')));
  if (refused.length > 0) throw new SetupError(`these packages are not permissively licensed: ${refused.join(', ')}`);
  say('licences: all are permissive');
  const args = ['audit', '--omit=dev', '--audit-level=high'];
  // Said also where `npm run --silent` has called this.
  const env = { ...process.env, npm_config_loglevel: 'error' };
  console.log((await runCommand('npm', args, { cwd: REPOSITORY_ROOT, timeoutMs: AUDIT_MS, env })).trim());
});
