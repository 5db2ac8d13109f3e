import { describe, expect, it } from 'vitest';
import { runCommand } from './run-command.mjs';
import { SetupError } from './setup-error.mjs';

const node = (script, timeoutMs = 10_000) => runCommand(process.execPath, ['-e', script], { timeoutMs });

describe('runCommand', () => {
  it('returns standard output and takes no offence at warnings', async () => {
    expect(await node('console.warn("npm warn Unknown user config"); console.log("fine")')).toBe('fine\n');
  });

  it('fails with what the program said last', async () => {
    const failing = node('console.error("no such wheel"); process.exit(3)');
    await expect(failing).rejects.toThrow(SetupError);
    await expect(failing).rejects.toThrow(/exit code 3.*no such wheel/s);
  });

  it('kills a program that hangs', async () => {
    await expect(node('setInterval(() => {}, 1000)', 300)).rejects.toThrow(/stopped after 0.3 s/);
  });

  it('names a program that is missing', async () => {
    await expect(runCommand('no-such-compiler', [], { timeoutMs: 1000 })).rejects.toThrow(/no-such-compiler/);
  });
});
