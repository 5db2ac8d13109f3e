/** A process of its own for tests: opens a run folder, says how that went, and stays. */
import { openRunFolder } from './run-folder.js';
import { StorageError } from './storage-error.js';

try {
  await openRunFolder(process.argv[2] ?? '');
  process.stdout.write('open\n');
} catch (error) {
  process.stdout.write(`${error instanceof StorageError ? error.code : String(error)}\n`);
}
setInterval(() => undefined, 1000);
