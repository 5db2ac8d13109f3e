import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const SCRIPT = join('libs', 'contracts', 'check-breaking.mjs');
const NOT_COMPARED = 'contracts not compared: git has no earlier revision of proto/ here\n';

describe('the check for breaking changes', () => {
  let work: string;
  let repository: string;

  beforeEach(() => {
    work = mkdtempSync(join(tmpdir(), 'mpa-breaking-'));
    repository = join(work, 'repository');
    mkdirSync(join(repository, 'proto'), { recursive: true });
    mkdirSync(join(repository, 'libs', 'contracts'), { recursive: true });
    cpSync(join(root, SCRIPT), join(repository, SCRIPT));
    cpSync(join(root, 'proto', 'buf.yaml'), join(repository, 'proto', 'buf.yaml'));
    writeContract('string name = 1;');
    git('init', '--quiet', '--initial-branch=main');
    commit();
  });
  afterEach(() => rmSync(work, { recursive: true }));

  function writeContract(field: string): void {
    const text = `syntax = "proto3";\npackage a;\nmessage M {\n  ${field}\n}\n`;
    writeFileSync(join(repository, 'proto', 'a.proto'), text);
  }

  function git(...args: string[]): void {
    const identity = ['-c', 'user.name=a', '-c', 'user.email=a@example.org'];
    execFileSync('git', [...identity, ...args], { cwd: repository });
  }

  function commit(): void {
    git('add', '.');
    git('commit', '--quiet', '--message=x', '--allow-empty');
  }

  function check(folder = repository): { status: number | null; output: string } {
    const PATH = [join(root, 'node_modules', '.bin'), process.env['PATH']].join(delimiter);
    const env = { ...process.env, PATH, GIT_CEILING_DIRECTORIES: tmpdir() };
    const { status, stdout, stderr } = spawnSync(process.execPath, [SCRIPT], { cwd: folder, env, encoding: 'utf8' });
    return { status, output: stdout + stderr };
  }

  it('compares main with the commit before', () => {
    writeContract('string name = 1;\n  string more = 2;');
    commit();
    expect(check()).toEqual({ status: 0, output: '' });
    writeContract('int32 name = 1;');
    commit();
    const { status, output } = check();
    expect(output).toMatch(/a\.proto:4:3:Field "1".*changed type/);
    expect(status).not.toBe(0);
  });

  it('compares a branch with where it left main, however many commits ago', () => {
    git('checkout', '--quiet', '-b', 'work');
    writeContract('int32 name = 1;');
    commit();
    commit();
    expect(check().output).toMatch(/changed type/);
  });

  it('says in one line that there is nothing to compare with: the first commit, a shallow clone, no git', () => {
    expect(check()).toEqual({ status: 0, output: NOT_COMPARED });
    writeContract('int32 name = 1;');
    commit();
    const shallow = join(work, 'shallow');
    git('clone', '--quiet', '--depth=1', pathToFileURL(repository).href, shallow);
    expect(check(shallow)).toEqual({ status: 0, output: NOT_COMPARED });
    rmSync(join(repository, '.git'), { recursive: true });
    expect(check()).toEqual({ status: 0, output: NOT_COMPARED });
  });
});
