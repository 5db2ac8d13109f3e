import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';

const MODULE = new URL('./one-at-a-time.mjs', import.meta.url).href;

/** A process that takes the lock of a folder, says so, and keeps it until its standard input ends. */
function startHolder(folder) {
  const code = `
    const { oneAtATime } = await import(${JSON.stringify(MODULE)});
    await oneAtATime(${JSON.stringify(folder)}, async () => {
      console.log('has it');
      for await (const _ of process.stdin);
    });
    console.log('gave it back');`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', code], { stdio: ['pipe', 'pipe', 'pipe'] });
  const said = { out: '', err: '' };
  child.stdout.on('data', (text) => (said.out += text));
  child.stderr.on('data', (text) => (said.err += text));
  const hears = async (stream, text) => {
    while (!said[stream].includes(text)) await once(child[stream === 'out' ? 'stdout' : 'stderr'], 'data');
  };
  return { child, said, hears };
}

it.runIf(process.platform === 'linux').each([
  ['ends', (holder) => holder.child.stdin.end()],
  ['is killed', (holder) => holder.child.kill('SIGKILL')],
])('a second set-up waits, says so, and goes on when the first one %s; other folders do not wait', async (how, end) => {
  const folder = `/a folder of which one ${how} (${process.pid})`;
  const first = startHolder(folder);
  await first.hears('out', 'has it');
  const second = startHolder(folder);
  await second.hears('err', 'another set-up is at work');
  const elsewhere = startHolder(`${folder}/inside`);
  await elsewhere.hears('out', 'has it');
  expect(second.said.out).toBe('');
  end(first);
  await second.hears('out', 'has it');
  for (const { child } of [second, elsewhere]) {
    child.stdin.end();
    expect(await once(child, 'close')).toEqual([0, null]);
  }
});
