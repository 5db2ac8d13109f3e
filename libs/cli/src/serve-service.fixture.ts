import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startMpa } from './run-mpa.fixture.js';

/** A service in a process of its own. */
export type Served = ReturnType<typeof startMpa> & { readonly name: string; readonly address: string };

/** Starts `mpa serve NAME` with a configuration file in a new folder of `work`; resolves when it serves. */
export async function serveService(name: string, config: object, work: string): Promise<Served> {
  const file = join(mkdtempSync(join(work, `${name}-`)), 'config.json');
  writeFileSync(file, JSON.stringify(config));
  const started = startMpa(['serve', name, '--config', file]);
  const address = new Promise<string>((resolve, reject) => {
    started.child.stdout!.on('data', (chunk: Buffer) => {
      const found = /"address":"([^"]+)"/.exec(chunk.toString())?.[1];
      if (found) resolve(found);
    });
    void started.ended.then(({ stderr }) => reject(new Error(`${name} did not start: ${stderr}`)));
  });
  return { ...started, name, address: await address };
}
