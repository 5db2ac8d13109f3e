// Compares the contracts with an earlier revision: where this branch left `main`, or on `main` itself the commit before.
// Exit code 1 on a breaking change. Without such a revision in the local history it says so; it never asks a remote.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** What git prints, or undefined where it fails or is missing. */
function git(...args) {
  const env = { ...process.env, GIT_NO_LAZY_FETCH: '1' };
  const { status, stdout } = spawnSync('git', args, { cwd: root, env, encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}

function earlierRevision() {
  if (git('rev-parse', '--show-prefix') !== '') return undefined; // no repository, or one around this folder
  const head = git('rev-parse', 'HEAD');
  const forks = ['origin/main', 'main'].map((branch) => git('merge-base', 'HEAD', branch));
  return forks.find((fork) => fork && fork !== head) ?? git('rev-parse', '--verify', '--quiet', 'HEAD~1');
}

const scratch = mkdtempSync(join(tmpdir(), 'mpa-proto-'));
try {
  const revision = earlierRevision();
  const archive = join(scratch, 'earlier.tar');
  if (revision === undefined || git('archive', '-o', archive, revision, 'proto') === undefined) {
    process.stderr.write('contracts not compared: git has no earlier revision of proto/ here\n');
  } else {
    const against = ['--against', `${archive}#subdir=proto`];
    const { status, error } = spawnSync('buf', ['breaking', 'proto', ...against], { cwd: root, stdio: 'inherit' });
    if (error) throw error;
    process.exitCode = status ?? 1;
    if (status !== 0) process.stderr.write(`proto/ breaks callers of revision ${revision}\n`);
  }
} finally {
  rmSync(scratch, { recursive: true });
}
