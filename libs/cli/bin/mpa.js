#!/usr/bin/env node
/** The `mpa` command: runs the built command line, or says in one line how to build it. */
import { existsSync } from 'node:fs';

const main = new URL('../dist/main.js', import.meta.url);
if (existsSync(main)) {
  await import(main.href);
} else {
  process.stderr.write('mpa: the project is not built yet; run: npm run setup\n');
  process.exitCode = 1;
}
