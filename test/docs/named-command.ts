import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from './documents.js';

const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> };
const BUILT_IN: ReadonlySet<string> = new Set(['ci', 'install']);
const helps = new Map<string, Promise<string>>();

/** The help of a command of mpa, such as `serve annotator`. Throws an Error when there is no such command. */
export function helpOf(command: string): Promise<string> {
  const asked = helps.get(command) ?? askForHelp(command);
  helps.set(command, asked);
  return asked;
}

async function askForHelp(command: string): Promise<string> {
  const args = [join(ROOT, 'libs/cli/bin/mpa.js'), ...command.split(' ').filter(Boolean), '--help'];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return stdout;
}

/** The flags that a help text, or a command, names. */
export function flagsIn(text: string): string[] {
  return [...text.matchAll(/(?<=^|[\s,])--[a-z][a-z-]*/gm)].map(([flag]) => flag);
}

/** What a command that is not run names that is not there: npm scripts, commands of mpa and their flags, paths. */
export async function missingIn(command: string): Promise<string[]> {
  const words = command.split(' ').filter((word) => word !== '--');
  const [program, name, ...rest] = words[0] === 'npx' ? words.slice(1) : words;
  if (program === 'mpa') {
    const known = flagsIn(await helpOf(name === 'serve' ? `serve ${rest[0] ?? 'annotator'}` : name!));
    return flagsIn(command).filter((flag) => !known.includes(flag));
  }
  // Labels of Kubernetes have a slash, and are no paths.
  const paths = words.filter((word) => word.includes('/') && !word.includes('='));
  const lost = paths.filter((path) => !existsSync(join(ROOT, path)));
  if (program !== 'npm') return lost;
  const script = name === 'run' ? rest[0]! : name!;
  return script in scripts || BUILT_IN.has(script) ? lost : [...lost, script];
}
