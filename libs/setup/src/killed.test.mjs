import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'; // prettier-ignore
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const STEPS = ['npm', 'pip', 'unpack', 'compile', 'tsc', 'vite'];

/** A machine with neither GPU nor network, on which the stand-in of the binding, which is JavaScript, can be loaded. */
const PRELOAD = `
const fs = require('node:fs');
const { existsSync } = fs;
fs.existsSync = (path) => path !== '/dev/nvidia0' && existsSync(path);
globalThis.fetch = () => Promise.reject(new TypeError('no network'));
const { _extensions } = require('node:module');
_extensions['.node'] = _extensions['.js'];`;

/** A repository with the real set-up, and with stand-ins for the programs that it starts. */
describe.runIf(process.platform === 'linux')('set-up that is killed', () => {
  let work;
  let env;
  let running;

  beforeEach(() => {
    work = mkdtempSync(join(tmpdir(), 'mpa-killed-'));
    cpSync(import.meta.dirname, join(work, 'libs', 'setup', 'src'), { recursive: true });
    for (const folder of ['bin', 'hanging', 'project', join('libs', 'tensorflow')]) mkdirSync(join(work, folder));
    writeFileSync(join(work, 'preload.cjs'), PRELOAD);
    writeFileSync(join(work, 'libs', 'tensorflow', 'package.json'), '{}');
    writeFileSync(join(work, 'package-lock.json'), '{ "packages": { "node_modules/typescript": { "version": "5" } } }');
    writeFileSync(join(work, 'tsconfig.json'), '{ "references": [{ "path": "project" }] }');
    for (const folder of ['web', 'src']) mkdirSync(join(work, 'libs', 'console', folder), { recursive: true });
    const pages = ['libs/console/styles.css', 'libs/console/vite.config.ts'];
    for (const name of ['tsconfig.base.json', 'project/tsconfig.json', 'project/index.ts', ...pages])
      writeFileSync(join(work, name), '');
    const tools = join(work, 'fake-tools.mjs');
    const source = readFileSync(join(import.meta.dirname, 'fake-tools.fixture.mjs'), 'utf8');
    writeFileSync(tools, `#!${process.execPath}\n${source}`, { mode: 0o755 });
    for (const tool of ['npm', 'python3', 'g++']) symlinkSync(tools, join(work, 'bin', tool));
    env = {
      PATH: join(work, 'bin'),
      MPA_CACHE: join(work, 'cache'),
      FAKE_TOOLS: work,
      NODE_OPTIONS: `--require=${join(work, 'preload.cjs')}`,
    };
  });
  afterEach(async () => {
    running.child.kill('SIGKILL');
    await running.ended;
    for (const name of readdirSync(join(work, 'hanging')))
      process.kill(Number(readFileSync(join(work, 'hanging', name), 'utf8')), 'SIGKILL');
    rmSync(work, { recursive: true });
  });

  function start() {
    const script = join(work, 'libs', 'setup', 'src', 'main.mjs');
    const child = spawn(process.execPath, [script], { env, stdio: ['ignore', 'ignore', 'pipe'] });
    running = { child, ended: Promise.all([text(child.stderr), once(child, 'close')]) };
    return running;
  }

  it('in any of its steps is completed by the next run, which does nothing finished again', async () => {
    for (const step of STEPS) {
      const { child, ended } = start();
      while (!existsSync(join(work, 'hanging', step))) {
        if (child.exitCode !== null) throw new Error(`set-up ended before ${step}: ${(await ended)[0]}`);
        await pause(20);
      }
      child.kill('SIGKILL'); // it alone: the program that it was waiting for hangs on
      await ended;
    }
    const [said, [code]] = await start().ended;
    expect(said).toMatch(/TensorFlow 2\.21\.0 \(wheel for CPUs\)\n.*build the pages of the console/);
    expect(code).toBe(0);
    const calls = 'npm npm pip pip unpack unpack compile unpack compile compile tsc tsc vite vite';
    expect(readFileSync(join(work, 'calls'), 'utf8')).toBe(`${calls.replaceAll(' ', '\n')}\n`);

    expect((await start().ended)[0]).toBe('setup | TensorFlow 2.21.0 (wheel for CPUs)\n');

    const root = join(work, 'cache', 'mpa', 'tensorflow');
    const { folder } = JSON.parse(readFileSync(join(root, 'chosen.json'), 'utf8'));
    expect(readFileSync(join(root, folder, 'deps', 'lib', 'libtensorflow_cc.so.2'), 'utf8')).toBe('whole');
    expect(readFileSync(join(work, 'project', 'dist', 'index.js'), 'utf8')).toBe('whole');
    expect(readFileSync(join(work, 'libs', 'console', 'dist', 'web', 'index.html'), 'utf8')).toBe('whole');
  });
});
