import { spawn, type ChildProcess } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '../free-port.js';
import { goProgram } from './go-programs.js';
import { runProgram, type Printed } from './run-program.js';

const START_MS = 5 * 60_000;
const COMMAND_MS = 2 * 60_000;

/** A Kubernetes API server with an etcd of its own: it takes and checks objects, and nothing runs them. */
export interface ApiServer {
  /** Path of the configuration by which kubectl and helm reach it. */
  readonly kubeconfig: string;
  kubectl(args: readonly string[], input?: string): Promise<Printed>;
  stop(): Promise<void>;
}

/** Starts one on free ports of this machine. Throws an Error when a program cannot be had or does not start. */
export async function startApiServer(): Promise<ApiServer> {
  const folder = mkdtempSync(join(tmpdir(), 'mpa-kubernetes-'));
  const children: ChildProcess[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(children.reverse().map(end));
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const [etcdPort, peerPort, port] = [await freePort(), await freePort(), await freePort()];
    children.push(await startEtcd(folder, etcdPort, peerPort));
    const token = randomBytes(16).toString('hex');
    children.push(await startServer(folder, { port, token, etcd: `http://127.0.0.1:${etcdPort}` }));
    const kubeconfig = join(folder, 'kubeconfig');
    writeFileSync(kubeconfig, JSON.stringify(configFor(port, token)));
    const kubectl = (args: readonly string[], input?: string): Promise<Printed> =>
      runProgram('kubectl', ['--kubeconfig', kubeconfig, ...args], {
        timeoutMs: COMMAND_MS,
        ...(input !== undefined && { input }),
      });
    await untilReady(kubectl, children);
    return { kubeconfig, kubectl, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startEtcd(folder: string, port: number, peerPort: number): Promise<ChildProcess> {
  const [client, peer] = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${peerPort}`];
  return spawn(
    await goProgram('etcd'),
    [
      ...['--data-dir', join(folder, 'etcd'), '--unsafe-no-fsync', '--log-level', 'fatal'],
      ...['--listen-client-urls', client, '--advertise-client-urls', client],
      ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer, '--initial-cluster', `default=${peer}`],
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
}

async function startServer(
  folder: string,
  { port, token, etcd }: { readonly port: number; readonly token: string; readonly etcd: string },
): Promise<ChildProcess> {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  return spawn(
    await goProgram('kube-apiserver'),
    [
      ...['--etcd-servers', etcd, '--bind-address', '127.0.0.1', '--secure-port', String(port)],
      ...['--cert-dir', join(folder, 'certificates'), '--service-cluster-ip-range', '10.0.0.0/24'],
      ...['--service-account-issuer', 'https://kubernetes.default.svc'],
      ...['--service-account-key-file', file('accounts.pub', publicKey)],
      ...['--service-account-signing-key-file', file('accounts.key', privateKey)],
      ...['--token-auth-file', file('tokens.csv', `${token},admin,admin,system:masters\n`)],
      // Nobody here makes the accounts that this plugin waits for.
      ...['--authorization-mode', 'RBAC', '--disable-admission-plugins', 'ServiceAccount'],
    ],
    { stdio: ['ignore', 'ignore', 'ignore'] },
  );
}

function configFor(port: number, token: string): object {
  const cluster = { server: `https://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true };
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster }],
    users: [{ name: 'admin', user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'admin' } }],
    'current-context': 'test',
  };
}

async function untilReady(kubectl: ApiServer['kubectl'], children: readonly ChildProcess[]): Promise<void> {
  const late = Date.now() + START_MS;
  for (;;) {
    try {
      return void (await kubectl(['get', '--raw', '/readyz']));
    } catch (error) {
      const ended = children.find(({ exitCode }) => exitCode !== null);
      if (ended) throw new Error(`${ended.spawnfile} has ended with ${ended.exitCode}`, { cause: error });
      if (Date.now() > late) throw error;
      await pause(1000);
    }
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const ended = new Promise((resolve) => child.once('close', resolve));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 30_000);
  await ended;
  clearTimeout(timer);
}
