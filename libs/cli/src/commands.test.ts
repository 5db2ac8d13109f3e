import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import type { Diagnosis } from './commands/doctor.js';
import { lastObject, runMpa, startMpa } from './run-mpa.fixture.js';

const model = fileURLToPath(new URL('../../../test/fixtures/vlm/smolvlm-a/', import.meta.url));
const image = join(model, 'images', readdirSync(join(model, 'images'))[0]!);
const work = mkdtempSync(join(tmpdir(), 'mpa-cli-'));
afterAll(() => rmSync(work, { recursive: true }));

describe('a wrong call', () => {
  const align = ['align', '--images', work, '--task', 'chartqa', '--teacher', model, '--student', model, '--out', join(work, 'run')]; // prettier-ignore
  const config = join(work, 'config.yaml');
  writeFileSync(config, 'annotator:\n  batch: 2\nparty: {}\n');
  const cases: Record<string, { args: string[]; names: RegExp }> = {
    'no command': { args: [], names: /no command/ },
    'an unknown command': { args: ['wrold'], names: /'wrold'.*world/ },
    'an unknown flag': { args: ['doctor', '--verbos'], names: /--verbos/ },
    'a flag that is missing': { args: ['answer', '--model', model], names: /--image/ },
    'an unknown task': { args: ['world', '--task', 'vqa', '--split', 'test', '--count', '1', '--out', work], names: /vqa.*chartqa/ },
    'a number that is none': { args: ['world', '--task', 'okvqa', '--split', 'test', '--count', 'ten', '--out', work], names: /--count.*ten/ },
    'a port that is none': { args: ['console', '--port', '70000'], names: /--port.*70000.*0 to 65535/ },
    'an unknown configuration key': { args: [...align, '--config', config], names: /config\.yaml.*party/ },
    'labels without their images': { args: [...align, '--eval', 'x.json'], names: /--eval-images/ },
    'greedy answers that would all be the same': { args: ['answer', '--model', model, '--image', image, '--question', 'q', '--n', '2'], names: /--temperature/ },
  }; // prettier-ignore
  it.each(Object.entries(cases))('%s: exit code 2 and one line that names it', async (_, { args, names }) => {
    const { code, stdout, stderr } = await runMpa(...args);
    expect(stderr).toMatch(names);
    expect(stderr).toMatch(/^mpa: [^\n]+\n$/);
    expect(stdout).toBe('');
    expect(code).toBe(2);
  });
});

describe('a call that fails', () => {
  it('exits with 1 and one line', async () => {
    const { code, stderr } = await runMpa('answer', '--model', join(work, 'none'), '--image', image, '--question', 'q');
    expect(stderr).toMatch(/^mpa: [^\n]*none[^\n]*\n$/);
    expect(code).toBe(1);
  });

  it('shows the stack with MPA_DEBUG=1', async () => {
    const args = ['answer', '--model', join(work, 'none'), '--image', image, '--question', 'q'];
    const { stderr } = await startMpa(args, { env: { MPA_DEBUG: '1' } }).ended;
    expect(stderr).toMatch(/CheckpointError: .*\n\s+at /);
  });
});

it('says its version', async () => {
  const { code, stdout } = await runMpa('--version');
  expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  expect(code).toBe(0);
});

describe('mpa world', () => {
  it('draws the test split with annotations and a sheet, and again the same', async () => {
    const [first, second] = [join(work, 'a'), join(work, 'b')];
    const args = ['world', '--task', 'textvqa', '--split', 'test', '--count', '2', '--seed', '3', '--json', '--out'];
    const ended = await runMpa(...args, first, '--sheet');
    expect(ended.code).toBe(0);
    expect(lastObject(ended)).toMatchObject({ written: 2, sheet: join(first, 'sheet.png') });
    expect(existsSync(join(first, 'sheet.png'))).toBe(true);
    await runMpa(...args, second);
    const names = readdirSync(join(first, 'images'));
    expect(names).toHaveLength(2);
    for (const name of names) {
      expect(readFileSync(join(second, 'images', name))).toEqual(readFileSync(join(first, 'images', name)));
    }
  });
});

describe('mpa answer', () => {
  it('gives the answer, its log-probability and the time', async () => {
    const ended = await runMpa('answer', '--model', model, '--image', image, '--question', 'What is it?', '--json', '--max-tokens', '4'); // prettier-ignore
    expect(ended.code).toBe(0);
    const { answer, logProbability, seconds } = lastObject(ended);
    expect(answer).toEqual(expect.any(String));
    expect(logProbability).toBeLessThan(0);
    expect(seconds).toBeGreaterThan(0);
  });

  it('draws several answers by a seed', async () => {
    const args = ['answer', '--model', model, '--image', image, '--question', 'q', '--n', '3', '--temperature', '1', '--max-tokens', '6', '--json', '--seed']; // prettier-ignore
    const [one, again, other] = await Promise.all(['5', '5', '6'].map(async (seed) => lastObject(await runMpa(...args, seed)))); // prettier-ignore
    expect(one!['answers']).toHaveLength(3);
    expect(again!['answers']).toEqual(one!['answers']);
    expect(other!['answers']).not.toEqual(one!['answers']);
  });
});

describe('mpa serve', () => {
  it('stops at SIGTERM also when nobody reads its output any more', async () => {
    const config = join(work, 'evaluator.json');
    writeFileSync(config, JSON.stringify({ model: { cacheDir: join(work, 'graphs') } }));
    const { child, ended } = startMpa(['serve', 'evaluator', '--config', config]);
    ended.catch(() => undefined); // its output ends early
    try {
      await once(child.stdout!, 'data');
      child.stdout!.destroy();
      child.stderr!.destroy();
      child.kill('SIGTERM');
      expect(await once(child, 'exit')).toEqual([0, null]);
    } finally {
      child.kill('SIGKILL');
    }
  });
});

describe('mpa console', () => {
  it('says where it serves, names a port that is taken, and stops at Ctrl-C', async () => {
    const { child, ended } = startMpa(['console', '--runs', work, '--port', '0']);
    try {
      const [said] = (await once(child.stdout!, 'data')) as [Buffer];
      const address = /^the console is serving at (http:\/\/127\.0\.0\.1:(\d+)\/)\n$/.exec(said.toString())!;
      expect((await fetch(address[1]!)).status).toBe(200);
      const second = await runMpa('console', '--runs', work, '--port', address[2]!);
      expect(second.stderr).toBe(`mpa: cannot listen on 127.0.0.1:${address[2]}: the port is taken; give another --port, or 0 for a free one\n`); // prettier-ignore
      expect(second.code).toBe(1);
      child.kill('SIGINT');
      expect(await ended).toMatchObject({ code: 0, stderr: '' });
    } finally {
      child.kill('SIGKILL');
    }
  });

  it('fails in one line without the folder, and on a host that is not this machine', async () => {
    const none = await runMpa('console', '--runs', join(work, 'none'), '--port', '0');
    expect(none).toMatchObject({ code: 1, stderr: `mpa: there is no folder ${join(work, 'none')}; give the right --runs\n` }); // prettier-ignore
    const elsewhere = await runMpa('console', '--runs', work, '--host', '192.0.2.1', '--port', '0');
    expect(elsewhere.stderr).toMatch(/^mpa: cannot listen on 192\.0\.2\.1:0: [^\n]*\n$/);
    expect(elsewhere.code).toBe(1);
  });
});

describe('mpa doctor', () => {
  it('names backend, version and devices', async () => {
    const ended = await runMpa('doctor', '--json');
    const { node, training, inference } = lastObject(ended) as unknown as Diagnosis;
    expect(node).toBe(process.version);
    expect(training.backend).toMatch(/tensorflow|tfjs-wasm/);
    expect(training.version).toMatch(/^\d/);
    expect(inference.providers).toContain('cpu');
  });
});
