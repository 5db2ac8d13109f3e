import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const script = fileURLToPath(new URL('kafka.mjs', import.meta.url));
const hasTools = ['java', 'mvn'].every((program) => spawnSync(program, ['--version']).status === 0);
if (!hasTools) process.stderr.write('skipped: npm run kafka needs Java 17 and Maven\n');

function start(args, env = {}) {
  return spawn(process.execPath, [script, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, KAFKA_BROKERS: '', ...env },
  });
}

async function brokersOf(child) {
  for await (const line of createInterface(child.stdout)) return line.replace('brokers ', '').split(',');
  return [];
}

async function listens(address) {
  const [host, port] = address.split(':');
  const socket = connect(Number(port), host);
  const open = await Promise.race([
    once(socket, 'connect').then(() => true),
    once(socket, 'error').then(() => false),
  ]).catch(() => false);
  socket.destroy();
  return open;
}

describe('npm run kafka', () => {
  it.skipIf(!hasTools)(
    'starts a cluster that Ctrl-C stops, with every node, and that goes on with its data at its addresses',
    async () => {
      const data = mkdtempSync(join(tmpdir(), 'mpa-kafka-test-'));
      try {
        let before;
        for (let session = 1; session <= 2; session++) {
          const child = start(['--nodes', '3', '--data', data]);
          const brokers = await brokersOf(child);
          expect(brokers).toHaveLength(3);
          expect(brokers).toEqual(before ?? brokers);
          before = brokers;
          expect(await Promise.all(brokers.map(listens))).toEqual([true, true, true]);
          child.kill('SIGINT');
          expect(await once(child, 'close')).toEqual([0, null]);
          expect(await Promise.all(brokers.map(listens))).toEqual([false, false, false]);
          expect(existsSync(join(data, 'node-3', 'data', 'meta.properties'))).toBe(true);
        }
      } finally {
        rmSync(data, { recursive: true });
      }
    },
    600_000,
  );

  it('names the brokers of KAFKA_BROKERS and starts nothing', async () => {
    const child = start([], { KAFKA_BROKERS: 'one:9092,two:9092' });
    expect(await brokersOf(child)).toEqual(['one:9092', 'two:9092']);
    if (child.exitCode === null) await once(child, 'close');
    expect(child.exitCode).toBe(0);
  });

  it('says in one line what is wrong with a flag', async () => {
    const child = start(['--nodes', 'many']);
    let said = '';
    child.stderr.on('data', (text) => (said += text));
    expect(await once(child, 'close')).toEqual([1, null]);
    expect(said).toMatch(/^setup \| --nodes many: give 1 to 9; the flags are [^\n]*\n$/);
  });
});
