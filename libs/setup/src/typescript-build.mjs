import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { runCommand } from './run-command.mjs';
import { step } from './step.mjs';

const STAMP = join('node_modules', '.mpa', 'built');

/**
 * Compiles TypeScript (`tsc -b`) when a source changed since the last time it was done here.
 *
 * @param {string} root the repository
 * @throws {SetupError} with the compiler's messages
 */
export async function buildTypescript(root) {
  const state = sourceState(root);
  const stamp = join(root, STAMP);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === state) return;
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  await step('compile TypeScript', () =>
    runCommand(process.execPath, [compiler, '-b'], { cwd: root, timeoutMs: 15 * 60_000 }),
  );
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, state);
}

/** Changes when a source file, a project's configuration or the presence of a compiled project does. */
function sourceState(root) {
  const hash = createHash('sha256').update(readFileSync(join(root, 'tsconfig.base.json')));
  const { references } = JSON.parse(readFileSync(join(root, 'tsconfig.json'), 'utf8'));
  for (const { path } of references) {
    const project = join(root, path);
    hash.update(`${path} ${existsSync(join(project, 'dist'))}`);
    hash.update(readFileSync(join(project, 'tsconfig.json')));
    for (const file of readdirSync(project, { recursive: true }).sort()) {
      if (!/\.tsx?$/.test(file) || /(^|\/)(dist|node_modules)\//.test(file)) continue;
      const { mtimeMs, size } = statSync(join(project, file));
      hash.update(`${file} ${mtimeMs} ${size}\n`);
    }
  }
  return hash.digest('hex');
}
