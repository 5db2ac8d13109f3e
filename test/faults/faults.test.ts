import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { hasKafka } from '@mpa/streams/testing';
import { expect, it } from 'vitest';

const main = fileURLToPath(new URL('../dist/faults/main.js', import.meta.url));

async function faults(...flags: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [main, ...flags], { stdio: ['ignore', 'pipe', 'pipe'] });
  const output = Promise.all([text(child.stdout), text(child.stderr)]);
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  const [stdout, stderr] = await output;
  return { code, stdout, stderr };
}

// The short form of `npm run faults`: every service is killed once.
it.skipIf(!hasKafka)(
  'a run outlives the loss of every service: nothing lost, nothing twice, the same checkpoint',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mpa-faults-test-'));
    try {
      const { code, stdout, stderr } = await faults(
        '--only',
        'services',
        '--images',
        '24',
        '--folder',
        folder,
        '--json',
      );
      expect(stderr).toMatch(/^services: passed/m);
      expect(code).toBe(0);
      const { rows } = JSON.parse(stdout.trim().split('\n').at(-1)!) as { rows: { observation: object }[] };
      expect(rows[0]!.observation).toMatchObject({ injected: 4, lost: 0, duplicated: 0, problems: [] });
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
  600_000,
);

it('names the scenarios that there are', async () => {
  const { code, stderr } = await faults('--only', 'earthquake');
  expect(stderr).toMatch(/^faults: there is no scenario earthquake; there are services, command, [^\n]*\n$/);
  expect(code).toBe(2);
});
