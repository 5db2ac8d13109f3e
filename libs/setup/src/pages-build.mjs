import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { runCommand } from './run-command.mjs';
import { step } from './step.mjs';

const STAMP = join('node_modules', '.mpa', 'pages-built');
const PACKAGE = join('libs', 'console');
/** What the pages are made of, in the package. */
const SOURCES = ['web', 'src', 'styles.css', 'vite.config.ts'];

/**
 * Builds the pages of `mpa console` (`vite build`) when a source changed since the last time it was done here.
 *
 * @param {string} root the repository
 * @throws {SetupError} with Vite's messages
 */
export async function buildPages(root) {
  const state = sourceState(root);
  const stamp = join(root, STAMP);
  const built = join(root, PACKAGE, 'dist', 'web', 'index.html');
  if (existsSync(built) && existsSync(stamp) && readFileSync(stamp, 'utf8') === state) return;
  const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js');
  await step('build the pages of the console', () =>
    runCommand(process.execPath, [vite, 'build', '--logLevel=warn'], {
      cwd: join(root, PACKAGE),
      timeoutMs: 5 * 60_000,
    }),
  );
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, state);
}

/** Changes when a source file or an installed package does. */
function sourceState(root) {
  const hash = createHash('sha256').update(readFileSync(join(root, 'package-lock.json')));
  for (const source of SOURCES) {
    const path = join(root, PACKAGE, source);
    const files = statSync(path).isDirectory() ? readdirSync(path, { recursive: true }).sort() : [''];
    for (const file of files) {
      const { mtimeMs, size } = statSync(join(path, file));
      hash.update(`${source} ${file} ${mtimeMs} ${size}\n`);
    }
  }
  return hash.digest('hex');
}
