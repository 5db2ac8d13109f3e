import { spawn, type ChildProcess } from 'node:child_process';
import { chownSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient, ModelService } from '@mpa/contracts';
import { Client, credentials } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../free-port.js';
import { NETWORK_CERTIFICATES, nodeImage } from './base-image.js';
import { IMAGE_PATH, ImageBuild, type Stage } from './image-build.js';

const ROOT = join(import.meta.dirname, '../..');
const DOCKER = join(ROOT, 'deploy/docker');
const MODEL = join(ROOT, 'test/fixtures/vlm/smolvlm-a');
const BUILD_MS = 90 * 60_000;

let work: string;
let build: ImageBuild;

beforeAll(async () => {
  work = mkdtempSync(join(tmpdir(), 'mpa-images-'));
  const npm = join(homedir(), '.npm');
  mkdirSync(npm, { recursive: true });
  build = new ImageBuild(readFileSync(join(DOCKER, 'Dockerfile'), 'utf8'), {
    context: ROOT,
    ignore: readFileSync(join(DOCKER, 'Dockerfile.dockerignore'), 'utf8'),
    buildArgs: {},
    images: { 'node:22-bookworm-slim': await nodeImage() },
    work,
    caches: { '/root/.npm': npm },
    networkEnv: { NODE_EXTRA_CA_CERTS: NETWORK_CERTIFICATES, PIP_CERT: NETWORK_CERTIFICATES },
  });
});

afterAll(() => {
  if (work) rmSync(work, { recursive: true, force: true });
});

/** A container's process as the chart has it: no root, no capabilities, nothing to write to but /tmp and /data. */
function start({ root, env, user, workdir, entrypoint }: Stage, data: string, args: readonly string[]): ChildProcess {
  const [uid, gid] = user.split(':');
  for (const folder of ['data', 'etc/mpa']) mkdirSync(join(root, folder), { recursive: true });
  const mounts = [
    `mount --bind ${root} ${root}`,
    `mount -o remount,bind,ro ${root}`,
    `mount --rbind /dev ${root}/dev`,
    `mount -t proc proc ${root}/proc`,
    `mount -t tmpfs tmpfs ${root}/tmp`,
    `mount --bind ${data} ${root}/data`,
  ];
  const privileges = ['--reuid', uid!, '--regid', gid!, '--clear-groups', '--no-new-privs'];
  const none = ['--inh-caps=-all', '--bounding-set=-all'];
  const set = Object.entries({ PATH: IMAGE_PATH, ...env }).map((pair) => pair.join('='));
  const command = ['setpriv', ...privileges, ...none, 'env', '-i', ...set, 'sh', '-c', 'cd "$0" && exec "$@"', workdir];
  const script = `${mounts.join(' && ')} && exec chroot ${root} "$@"`;
  return spawn('unshare', ['--mount', 'sh', '-c', script, 'sh', ...command, ...entrypoint, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** What a process says until it ends. */
async function ended(child: ChildProcess): Promise<{ code: number | null; said: string }> {
  let said = '';
  for (const stream of [child.stdout!, child.stderr!])
    stream.setEncoding('utf8').on('data', (text: string) => (said += text));
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, said })));
}

/** A folder that the image's user may write to, with the tiny model and a configuration. */
function dataFolder(config: object): string {
  const data = mkdtempSync(join(work, 'data-'));
  cpSync(MODEL, join(data, 'model'), { recursive: true });
  writeFileSync(join(data, 'config.json'), JSON.stringify(config));
  chownSync(data, 10001, 10001);
  return data;
}

/** grpc.health.v1, as the kubelet asks for it. */
function health(address: string): Promise<string> {
  const client = new Client(address, credentials.createInsecure());
  const pass = (bytes: Buffer): Buffer => bytes;
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest('/grpc.health.v1.Health/Check', pass, pass, Buffer.alloc(0), (error, reply) => {
      client.close();
      // HealthCheckResponse { status: SERVING } is field 1 with the value 1.
      if (error) reject(error);
      else resolve(reply?.toString('hex') === '0801' ? 'SERVING' : 'NOT_SERVING');
    });
  });
}

describe('the image of', () => {
  it.each(['annotator', 'parity'])(
    'the %s answers as an unprivileged user on a read-only root file system, and stops at SIGTERM',
    async (name) => {
      const image = await build.stage(name);
      const listen = `127.0.0.1:${await freePort()}`;
      const data = dataFolder({ listen, model: { checkpoint: '/data/model', cacheDir: '/data/graphs' } });
      const child = start(image, data, ['--config', '/data/config.json']);
      const over = ended(child);
      try {
        await expect.poll(() => health(listen), { timeout: 300_000, interval: 1000 }).toBe('SERVING');
        const client = createClient(ModelService, listen, { timeoutMs: 120_000 });
        const image = {
          source: { case: 'data' as const, value: readFileSync(join(MODEL, 'images', 'case0_0_0.png')) },
        };
        const { answers } = await client.answer({ image, questions: ['What is drawn?'] });
        client.close();
        expect(answers).toHaveLength(1);
      } finally {
        child.kill('SIGTERM');
      }
      expect(await over).toMatchObject({ code: 0 });
    },
    BUILD_MS,
  );

  it(
    'the driver draws images, and names a broker that does not answer',
    async () => {
      const image = await build.stage('align');
      const data = dataFolder({});
      const drawn = start(image, data, [
        'world',
        '--task',
        'chartqa',
        '--split',
        'train',
        '--count',
        '2',
        '--out',
        '/data/drawn',
      ]);
      expect(await ended(drawn)).toMatchObject({ code: 0 });
      const topics = await ended(start(image, data, ['topics', '--brokers', '127.0.0.1:1', '--prefix', 'none']));
      expect(topics).toMatchObject({ code: 1, said: expect.stringMatching(/^mpa: .*127\.0\.0\.1:1/) as string });
    },
    BUILD_MS,
  );

  it(
    'the trainer loads native TensorFlow as such a user and serves',
    async () => {
      const image = await build.stage('trainer');
      const listen = `127.0.0.1:${await freePort()}`;
      const child = start(image, dataFolder({ listen, backend: 'native' }), ['--config', '/data/config.json']);
      const over = ended(child);
      try {
        await expect.poll(() => health(listen), { timeout: 300_000, interval: 1000 }).toBe('SERVING');
      } finally {
        child.kill('SIGTERM');
      }
      expect(await over).toMatchObject({ code: 0 });
    },
    BUILD_MS,
  );
});
