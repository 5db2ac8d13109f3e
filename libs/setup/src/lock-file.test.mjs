import { it } from 'vitest';
import { REPOSITORY_ROOT } from './repository-root.mjs';
import { runCommand } from './run-command.mjs';

/** An `npm install` drops from the lock file what its registry does not have that day, and `npm ci` then refuses it. */
it('package-lock.json is one that npm ci accepts', async () => {
  const args = ['ci', '--dry-run', '--offline', '--no-audit', '--no-fund'];
  await runCommand('npm', args, { cwd: REPOSITORY_ROOT, timeoutMs: 50_000 });
});
