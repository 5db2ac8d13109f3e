import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lastObject, serveService, startMpa, type Ended, type Served } from '@mpa/cli/testing';
import { clientCredentials, createClient, ModelService, type ClientOptions } from '@mpa/contracts';
import { Authority, writePems } from '@mpa/contracts/testing';
import { kafkaReleases, startBroker, type Broker } from '@mpa/streams/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { freePort } from '../free-port.js';
import { CHART, commandsIn, configIn, fileIn, objectsOf, renderChart } from './rendered-chart.js';

const ROOT = join(import.meta.dirname, '../..');
const TOKEN = 'a-token-of-enough-characters';
const NAME = 'mpa';
/** Addresses of this machine for pods: those of one service behind its name, the trainer's beside the driver. */
const HOSTS = { annotator: '127.0.0.2', parity: '127.0.0.3', evaluator: '127.0.0.4', trainer: '127.0.0.1' };

let work: string;
let broker: Broker;
let port: number;
let authority: Authority;
let served: Served[] = [];

beforeAll(async () => {
  work = mkdtempSync(join(tmpdir(), 'mpa-run-'));
  for (const folder of ['volume', 'etc', 'tls']) mkdirSync(join(work, folder));
  broker = await startBroker(kafkaReleases.at(-1)!);
  port = await freePort();
  authority = await Authority.create('ours');
  // A Secret of kubernetes.io/tls, as cert-manager writes it.
  const { cert, key } = await authority.issue({ dns: [NAME] });
  for (const [file, text] of Object.entries({ 'tls.crt': cert, 'tls.key': key, 'ca.crt': authority.cert }))
    writeFileSync(join(work, 'tls', file), text);
  const names = ['annotator', 'parity', 'evaluator'] as const;
  writeFileSync(join(work, 'hosts'), names.map((name) => `${HOSTS[name]} mpa-${name}\n`).join(''));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const { child } of served) child.kill('SIGTERM');
  await Promise.all(served.map(({ ended }) => ended));
  served = [];
});
afterAll(async () => {
  await broker?.stop();
  rmSync(work, { recursive: true });
});

/** What a pod is told, with the places that its mounts, its image and its addresses have on this machine. */
function here<T>(told: T): T {
  const text = JSON.stringify(told)
    .replaceAll('/etc/mpa-tls/', `${work}/tls/`)
    .replaceAll('/etc/mpa/', `${work}/etc/`)
    .replaceAll(/"\/data(?=[/"])/g, `"${work}/volume`)
    .replaceAll('/opt/mpa/', `${ROOT}/`)
    .replaceAll(':50051', `:${port}`);
  return JSON.parse(text) as T;
}

async function serve(manifests: string): Promise<void> {
  for (const [service, host] of Object.entries(HOSTS)) {
    const own = JSON.stringify(configIn(manifests, service)).replaceAll('0.0.0.0:50052', `${host}:0`);
    served.push(await serveService(service, here(JSON.parse(own.replaceAll('0.0.0.0', host)) as object), work));
  }
}

/** The driver's commands, one after the other, with an /etc/hosts of its own in the place of a cluster's name service (as root on Linux). */
async function drive(manifests: string): Promise<Ended> {
  for (const file of ['align.yaml', 'endpoints.yaml'])
    writeFileSync(join(work, 'etc', file), JSON.stringify(here(fileIn(manifests, 'mpa-align', file))));
  const hosts = ['sh', '-c', `mount --bind ${work}/hosts /etc/hosts && exec "$@"`, 'sh'];
  let ended: Ended | undefined;
  for (const args of here(commandsIn(manifests))) {
    ended = await startMpa(args, { command: ['unshare', '--mount', ...hosts, process.execPath] }).ended;
    expect(ended, `${args.join(' ')}: ${ended.stderr}`).toMatchObject({ code: 0 });
  }
  return ended!;
}

const laptop = (run: string, ...values: string[]): Promise<string> =>
  renderChart([
    ...['--values', join(CHART, 'values-laptop.yaml'), '--set', `run.name=${run}`],
    ...['--set', `kafka.brokers={${broker.brokers.join(',')}}`],
    ...[
      '--set-json',
      'align.prepare=[["world","--task","chartqa","--split","train","--count","3","--out","/data/drawn"]]',
    ],
    ...['--set', 'trainer.config.training.epochs=1', ...values],
  ]);

/** How the parity service answers a caller. */
async function answerTo(options: ClientOptions): Promise<string> {
  const client = createClient(ModelService, `127.0.0.3:${port}`, { serverName: NAME, ...options });
  try {
    await client.score({}, { timeoutMs: 60_000 });
    return 'OK';
  } catch (error) {
    return (error as { readonly code: string }).code;
  } finally {
    client.close();
  }
}

async function pems(folder: string, by: Authority, dns: string): Promise<{ cert: string; key: string; ca: string }> {
  return writePems(join(work, folder), await by.issue({ dns: [dns] }), authority.cert);
}

describe('the laptop example as the chart starts it', { timeout: 900_000 }, () => {
  it('levels a student, whose checkpoint is in the image', async () => {
    const manifests = await laptop('plain');
    await serve(manifests);
    expect(lastObject(await drive(manifests))).toMatchObject({ images: 3 });
  });

  it('does so with encrypted calls of whoever has the certificate of the release, and answers nobody else', async () => {
    const manifests = await laptop('certificates', '--set', 'tls.secret=certificate');
    await serve(manifests);
    expect(lastObject(await drive(manifests))).toMatchObject({ images: 3 });

    const ours = { ca: `${work}/tls/ca.crt`, cert: `${work}/tls/tls.crt`, key: `${work}/tls/tls.key` };
    const { ca } = ours;
    expect(await answerTo({ credentials: await clientCredentials(ours) })).toBe('INVALID_ARGUMENT');
    expect(await answerTo({})).toBe('UNAVAILABLE');
    expect(await answerTo({ credentials: await clientCredentials({ ca }) })).toBe('UNAVAILABLE');
    const neighbour = await pems('neighbour', authority, 'others');
    expect(await answerTo({ credentials: await clientCredentials(neighbour) })).toBe('PERMISSION_DENIED');
    const stranger = await pems('stranger', await Authority.create('others'), NAME);
    expect(await answerTo({ credentials: await clientCredentials(stranger) })).toBe('UNAVAILABLE');
  });

  it('does so with a token in the place of certificates', async () => {
    vi.stubEnv('MPA_TOKEN', TOKEN);
    const manifests = await laptop('token', '--set', 'tls.secret=certificate', '--set', 'tls.token.secret=token');
    await serve(manifests);
    expect(lastObject(await drive(manifests))).toMatchObject({ images: 3 });

    const credentials = await clientCredentials({ ca: `${work}/tls/ca.crt` });
    expect(await answerTo({ credentials, token: () => TOKEN })).toBe('INVALID_ARGUMENT');
    expect(await answerTo({ credentials, token: () => `${TOKEN}!` })).toBe('UNAUTHENTICATED');
    expect(await answerTo({ credentials })).toBe('UNAUTHENTICATED');
  });
});

it('gives the Job up where the trainer could never start', async () => {
  const check = async (...values: string[]): Promise<Ended> => {
    const manifests = await laptop('checked', ...values);
    const { spec } = objectsOf(manifests).find(({ kind }) => kind === 'Job')!;
    const end = { containerName: 'check-trainer', operator: 'In', values: [2] };
    expect(spec).toMatchObject({ podFailurePolicy: { rules: expect.arrayContaining([{ action: 'FailJob', onExitCodes: end }]) as unknown } }); // prettier-ignore
    const [first] = spec!.template!.spec.initContainers!;
    expect(first).toMatchObject({ name: end.containerName });
    writeFileSync(join(work, 'etc', 'trainer.yaml'), JSON.stringify(here(configIn(manifests, 'trainer'))));
    return startMpa(['serve', 'trainer', ...here(first!.args)]).ended;
  };
  expect(await check()).toMatchObject({ code: 0 });
  const typo = await check('--set', 'trainer.config.training.epoch=1');
  expect(typo).toMatchObject({ code: 2, stderr: expect.stringContaining('epoch') as string });
});

it('takes no token without encryption', async () => {
  await expect(laptop('open', '--set', 'tls.token.secret=token')).rejects.toThrow('tls.token needs tls.secret');
});
