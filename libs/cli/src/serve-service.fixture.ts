import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { startMpa } from './run-mpa.fixture.js';

/** The line of the log that says where a service is. */
interface ServingLine {
  readonly address?: string;
  readonly metrics?: string;
}

/** A service in a process of its own; `metrics` is the URL of its page, empty without one. */
export type Served = ReturnType<typeof startMpa> & {
  readonly name: string;
  readonly address: string;
  readonly metrics: string;
};

/** Starts `mpa serve NAME` with a configuration file in a new folder of `work`, as `how` says; resolves when it serves. */
export async function serveService(
  name: string,
  config: object,
  work: string,
  how: Parameters<typeof startMpa>[1] = {},
): Promise<Served> {
  const file = join(mkdtempSync(join(work, `${name}-`)), 'config.json');
  writeFileSync(file, JSON.stringify(config));
  const started = startMpa(['serve', name, '--config', file], how);
  const { address, metrics = '' } = await new Promise<ServingLine>((resolve, reject) => {
    createInterface(started.child.stdout!).on('line', (line) => {
      const found = JSON.parse(line) as ServingLine;
      if (found.address !== undefined) resolve(found);
    });
    void started.ended.then(({ stderr }) => reject(new Error(`${name} did not start: ${stderr}`)));
  });
  return { ...started, name, address: address!, metrics };
}
