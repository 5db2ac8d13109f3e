import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createClient, ModelService } from '@mpa/contracts';
import { afterAll, expect, it } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'mpa-main-'));
afterAll(() => rmSync(folder, { recursive: true }));

function main(args: string[]) {
  const script = join(import.meta.dirname, 'echo-main.fixture.ts');
  const node = ['--conditions=@mpa/source', '--import', 'tsx', script, ...args];
  return spawn(process.execPath, node, { stdio: ['ignore', 'pipe', 'pipe'] });
}

function configured(config: object, name = 'echo'): string[] {
  const file = join(folder, `${name}.json`);
  writeFileSync(file, JSON.stringify(config));
  return ['--config', file];
}

async function serving(child: ReturnType<typeof main>): Promise<string> {
  for await (const line of createInterface({ input: child.stdout })) {
    const { address } = JSON.parse(line) as { address?: string };
    if (address !== undefined) return address;
  }
  throw new Error('the service ended before it served');
}

it('serves until SIGTERM, finishes the call in work and exits with 0', async () => {
  const child = main(configured({ greeting: 'hello', pauseMs: 500 }));
  const client = createClient(ModelService, await serving(child));
  try {
    await client.score({});
    const call = client.answer({ questions: ['you'] });
    await new Promise((resolve) => setTimeout(resolve, 100));
    child.kill('SIGTERM');
    expect((await call).answers[0]?.text).toBe('hello you');
    expect(await once(child, 'exit')).toEqual([0, null]);
  } finally {
    client.close();
    child.kill('SIGKILL');
  }
});

it('that has failed for good tells its caller to ask another one, and exits with 1 and one line', async () => {
  const child = main(configured({ greeting: 'hello' }));
  let stderr = '';
  child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
  const client = createClient(ModelService, await serving(child));
  try {
    const asked = client.answer({ questions: ['break'] }, { timeoutMs: 30_000 });
    // The client asks an unavailable service some times more, and may find it gone.
    await expect(asked).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    if (child.exitCode === null) await once(child, 'close');
    expect(child.exitCode).toBe(1);
    expect(stderr).toBe('echo: the echo is broken\n');
  } finally {
    client.close();
    child.kill('SIGKILL');
  }
});

it('exits at once at the second signal', async () => {
  const child = main(configured({ greeting: 'hello', pauseMs: 20_000 }));
  const client = createClient(ModelService, await serving(child));
  try {
    await client.score({});
    const failed = expect(client.answer({ questions: ['you'] }, { timeoutMs: 5_000 })).rejects.toThrow();
    await new Promise((resolve) => setTimeout(resolve, 100));
    child.kill('SIGTERM');
    await new Promise((resolve) => setTimeout(resolve, 100));
    child.kill('SIGINT');
    expect(await once(child, 'exit')).toEqual([130, null]);
    await failed;
  } finally {
    client.close();
    child.kill('SIGKILL');
  }
});

it('exits at once at a signal before it serves', async () => {
  const child = main(configured({ greeting: 'hello', startMs: 60_000 }));
  await once(child.stdout, 'data');
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([143, null]);
});

it('stops at SIGTERM also when nobody reads its output any more', async () => {
  const child = main(configured({ greeting: 'hello' }));
  try {
    await serving(child);
    child.stdout.destroy();
    child.stderr.destroy();
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  } finally {
    child.kill('SIGKILL');
  }
});

it('checks a configuration that may be used, and starts nothing', async () => {
  const child = main([...configured({ greeting: 'hello', startMs: 60_000 }), '--check']);
  expect(await once(child, 'close')).toEqual([0, null]);
});

it.each([
  [[], 'usage: echo --config FILE'],
  [['--confg', 'x'], "Unknown option '--confg'"],
  [['--config', join(folder, 'none.yaml')], 'cannot read the configuration'],
  [[...configured({ greeting: 'hello', greetings: 2 }, 'typo'), '--check'], 'greetings'],
  [[...configured({ greeting: 'hello', listen: '0.0.0.0:0' }, 'open'), '--check'], 'nothing is encrypted'],
])('exits with 2 for %j', async (args, message) => {
  const child = main(args);
  let stderr = '';
  child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
  expect(await once(child, 'close')).toEqual([2, null]);
  expect(stderr).toContain(message);
});
