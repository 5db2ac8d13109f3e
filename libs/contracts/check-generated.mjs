// Generates the contracts anew and compares them with the committed ones. Exit code 1 on a difference.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const fresh = mkdtempSync(join(tmpdir(), 'mpa-proto-'));
const committed = 'libs/contracts/src/gen';

function run(command, args, cwd) {
  const { status, error } = spawnSync(command, args, { cwd, stdio: 'inherit' });
  if (error) throw error;
  return status;
}

try {
  // The template writes to ../libs/..., so the base folder stands where proto/ does.
  if (run('buf', ['generate', '-o', join(fresh, 'proto')], join(root, 'proto')) !== 0) process.exitCode = 1;
  else if (run('git', ['diff', '--no-index', '--exit-code', committed, join(fresh, committed)], root) !== 0) {
    process.stderr.write(`${committed} is not what proto/ gives: run "npm run proto" and commit the result\n`);
    process.exitCode = 1;
  }
} finally {
  rmSync(fresh, { recursive: true });
}
