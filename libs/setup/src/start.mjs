/** `npm start [-- FLAGS]`: sets up whatever is missing and runs the demonstration, `mpa demo FLAGS`. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { REPOSITORY_ROOT } from './repository-root.mjs';
import { runMain, setUp } from './set-up.mjs';

await runMain(async () => {
  await setUp();
  const cli = join(REPOSITORY_ROOT, 'libs', 'cli', 'bin', 'mpa.js');
  const child = spawn(process.execPath, [cli, 'demo', ...process.argv.slice(2)], { stdio: 'inherit' });
  process.on('SIGINT', () => {}); // the terminal sends it to the demonstration too, which ends in its own time
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  const [code] = await once(child, 'close');
  process.exitCode = code ?? 1;
});
