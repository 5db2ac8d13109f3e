import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commandsOf, filesOf } from './commands.js';
import { documents, guide, namesIn } from './documents.js';
import { missingIn } from './named-command.js';
import { Sandbox } from './sandbox.js';
import { treatmentOf, treatments, type Treatment } from './treatments.js';

/** Longest time of one command, in milliseconds, on a machine that is busy with something else. */
const TIMEOUT = 600_000;
const UNKNOWN_FLAG = '--no-such-flag';

/** Each command once, by the first document that gives it. */
const commands = new Map(
  [...documents].reverse().flatMap(([path, document]) => commandsOf(document).map((command) => [command, path])),
);

let sandbox: Sandbox;
beforeAll(async () => void (sandbox = await Sandbox.make(filesOf(guide))), TIMEOUT);
afterAll(async () => {
  const codes = await sandbox.close();
  expect(codes).toEqual(codes.map(() => 0));
}, TIMEOUT);

describe('the documents', () => {
  it.each([...commands])(
    'give a command that works: %s (%s)',
    async (command) => {
      const treatment = treatmentOf(command);
      expect(treatment, 'treatments.ts does not say what to do with this command').toBeDefined();
      await treat(command, treatment!);
    },
    TIMEOUT,
  );

  it('give every command that has a treatment', () => {
    const used = new Set([...commands.keys()].map(treatmentOf));
    expect(treatments.filter((treatment) => !used.has(treatment))).toEqual([]);
  });
});

describe('the guide', () => {
  it('names all that a run leaves behind, and every key of its result', () => {
    const run = join(sandbox.folder, 'runs', 'photos');
    expect(namesIn('in `RUN`').sort()).toEqual(readdirSync(run).sort());
    const summary = JSON.parse(readFileSync(join(run, 'summary.json'), 'utf8')) as object;
    expect(namesIn('key in `--json`')).toEqual(Object.keys(summary));
  });
});

async function treat(command: string, { how, as, add }: Treatment): Promise<void> {
  switch (how) {
    case 'run':
      expect(await sandbox.run(add === undefined ? command : `${command} ${add}`)).toMatchObject({ code: 0 });
      break;
    case 'serve':
      await sandbox.serve(add === undefined ? command : `${command} ${add}`);
      break;
    case 'parse':
      expect((await sandbox.run(withUnknownFlag(command, as))).stderr).toMatch(
        new RegExp(`unknown option '${UNKNOWN_FLAG}'`, 'i'),
      );
      break;
    case 'exists':
      expect(await missingIn(command)).toEqual([]);
  }
}

/** npm takes flags for its script behind `--`. */
function withUnknownFlag(command: string, as: string | undefined): string {
  if (!command.startsWith('npm ')) return `${command} ${UNKNOWN_FLAG}`;
  const [script, flags = ''] = command.split(' -- ');
  return `${as ?? `${script} --`} ${flags} ${UNKNOWN_FLAG}`;
}
