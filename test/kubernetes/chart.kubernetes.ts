import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { annotator } from '@mpa/annotator';
import { evaluator } from '@mpa/evaluator';
import { parity } from '@mpa/parity';
import { checkConfig, configSchema, type Service } from '@mpa/service-kit';
import { trainer } from '@mpa/trainer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import type { z } from 'zod';
import { startApiServer, type ApiServer } from './api-server.js';
import { kedaResources, strimziResources } from './custom-resources.js';
import { goProgram } from './go-programs.js';
import { runProgram } from './run-program.js';

const CHART = join(import.meta.dirname, '../../deploy/helm/mpa');
const HELM_MS = 2 * 60_000;

interface KubernetesObject {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: { readonly template?: { readonly spec: PodSpec } };
}

interface PodSpec {
  readonly initContainers?: readonly Container[];
  readonly containers: readonly Container[];
}

interface Container {
  readonly name: string;
  readonly args: readonly string[];
}

const releases = [
  ['the chart by itself', ['--set', 'kafka.brokers={kafka:9092}']],
  ['on a laptop', ['--values', join(CHART, 'values-laptop.yaml')]],
  ['on a fleet of GPUs', ['--values', join(CHART, 'values-gpu-fleet.yaml')]],
  [
    'with a broker behind TLS and a password, and a teacher behind an endpoint',
    [
      ...['--set', 'kafka.brokers={kafka:9093}', '--set', 'kafka.config.sasl=plain', '--set', 'kafka.caSecret.name=ca'],
      ...['--set', 'kafka.credentials.secret=kafka', '--set', 'annotator.scaling.enabled=true'],
      ...['--set', 'run.teacher=https://teacher/v1', '--set', 'run.teacherModel=large'],
      ...['--set', 'annotator.config.endpoint.keyVariable=TEACHER_KEY'],
    ],
  ],
] as const;

let server: ApiServer;
let helm: string;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mpa-chart-'));
  helm = await goProgram('helm');
  server = await startApiServer();
  for (const definitions of [await kedaResources(), await strimziResources()])
    await server.kubectl(['create', '-f', '-'], definitions);
  await server.kubectl(['create', 'namespace', 'mpa']);
  // What a cluster may insist on at most: https://kubernetes.io/docs/concepts/security/pod-security-standards/
  for (const mode of ['enforce', 'warn'])
    await server.kubectl(['label', 'namespace', 'mpa', `pod-security.kubernetes.io/${mode}=restricted`]);
  await server.kubectl(['wait', '--for=condition=Established', 'customresourcedefinitions', '--all', '--timeout=60s']);
});

afterAll(async () => {
  await server?.stop();
  if (folder) rmSync(folder, { recursive: true });
});

/** Runs helm with folders of its own, against the API server. */
async function runHelm(...args: readonly string[]): Promise<string> {
  const env = {
    HELM_CACHE_HOME: folder,
    HELM_CONFIG_HOME: folder,
    HELM_DATA_HOME: folder,
    KUBECONFIG: server.kubeconfig,
  };
  return (await runProgram(helm, args, { timeoutMs: HELM_MS, env })).stdout;
}

const render = (values: readonly string[]): Promise<string> =>
  runHelm('template', 'mpa', CHART, '--namespace', 'mpa', '--kube-version', '1.34.0', ...values);

function objectsOf(manifests: string): KubernetesObject[] {
  return parseAllDocuments(manifests)
    .map((document) => document.toJS() as KubernetesObject | null)
    .filter((object) => object !== null);
}

describe.each(releases)('%s', (_, values) => {
  it('passes helm lint', async () => {
    expect(await runHelm('lint', '--strict', CHART, ...values)).toContain('0 chart(s) failed');
  });

  it('is taken by the API server, field by field, under the restricted pod security standard', async () => {
    const args = ['apply', '--namespace', 'mpa', '--dry-run=server', '--validate=strict', '-f', '-'];
    const { stdout, stderr } = await server.kubectl(args, await render(values));
    expect(stderr).toBe('');
    expect(stdout).toMatch(/job.batch\/mpa-align-\S+ created \(server dry run\)/);
  });

  it('makes pods that the API server admits', async () => {
    for (const { metadata, spec } of objectsOf(await render(values))) {
      if (!spec?.template) continue;
      // Admission looks for the class of a pod, which a dry run has not made.
      const pod = { ...spec.template.spec, priorityClassName: undefined };
      const whole = { apiVersion: 'v1', kind: 'Pod', metadata: { name: metadata.name }, spec: pod };
      const args = ['create', '--namespace', 'mpa', '--dry-run=server', '-f', '-'];
      const { stdout } = await server.kubectl(args, JSON.stringify(whole));
      expect(stdout).toContain(`pod/${metadata.name} created (server dry run)`);
    }
  });

  it('gives every service and the driver a configuration that they take', async () => {
    const maps = objectsOf(await render(values)).filter(({ kind }) => kind === 'ConfigMap');
    const fileOf = (map: string, name: string): unknown =>
      parse(maps.find(({ metadata }) => metadata.name === map)!.data![name]!);
    const services: readonly [Service<z.ZodObject>, unknown][] = [
      [annotator, fileOf('mpa-annotator', 'config.yaml')],
      [parity, fileOf('mpa-parity', 'config.yaml')],
      [evaluator, fileOf('mpa-evaluator', 'config.yaml')],
      [trainer, fileOf('mpa-align', 'trainer.yaml')],
    ];
    for (const [service, config] of services) checkConfig(config, configSchema(service), service.name);
    await callWithUnknownFlag(await render(values));
  });
});

/** Calls `mpa` as the driver's pod does, with one flag more that does not exist: so all others do. */
async function callWithUnknownFlag(manifests: string): Promise<void> {
  const job = objectsOf(manifests).find(({ kind }) => kind === 'Job')!;
  const { initContainers = [], containers } = job.spec!.template!.spec;
  const bin = join(import.meta.dirname, '../../libs/cli/bin/mpa.js');
  for (const { name, args } of [...initContainers, ...containers]) {
    if (name === 'trainer') continue;
    const called = runProgram(process.execPath, [bin, ...args, '--no-such-flag'], { timeoutMs: HELM_MS });
    await expect(called).rejects.toThrow(/unknown option '--no-such-flag'/);
  }
}

it('has a broker for a laptop that the API server takes too', async () => {
  const file = join(CHART, '../kafka-laptop.yaml');
  const args = ['apply', '--namespace', 'mpa', '--dry-run=server', '--validate=strict', '-f', file];
  const { stdout, stderr } = await server.kubectl(args);
  expect(stderr).toBe('');
  expect(stdout).toContain('deployment.apps/kafka created (server dry run)');
});

describe('a release', () => {
  const values = ['--values', join(CHART, 'values-laptop.yaml')];
  const names = async (kind: string): Promise<string[]> =>
    (await server.kubectl(['get', kind, '-n', 'mpa', '-o', 'name'])).stdout.split('\n').filter(Boolean);

  it('is installed, goes on with another Job when its settings change, and leaves its data behind', async () => {
    const release = ['mpa', CHART, '--namespace', 'mpa', ...values];
    await runHelm('install', ...release);
    const [first] = await names('jobs');
    expect(await names('deployments')).toHaveLength(3);

    await runHelm('upgrade', ...release, '--set', 'annotator.config.batch=2');
    expect(await names('jobs')).toEqual([first]);
    await runHelm('upgrade', ...release, '--set', 'trainer.config.cacheMegabytes=64');
    const jobs = await names('jobs');
    expect(jobs).toHaveLength(1);
    expect(jobs).not.toEqual([first]);

    await runHelm('uninstall', 'mpa', '--namespace', 'mpa');
    for (const kind of ['deployments', 'jobs', 'services', 'networkpolicies']) expect(await names(kind)).toEqual([]);
    expect(await names('persistentvolumeclaims')).toEqual(['persistentvolumeclaim/mpa-data']);
  });

  it('would not get past the server with a field that its kinds do not have', async () => {
    const manifests = await render(['--values', join(CHART, 'values-gpu-fleet.yaml')]);
    const args = ['apply', '--namespace', 'mpa', '--dry-run=server', '--validate=strict', '-f', '-'];
    for (const field of ['maxReplicaCount', 'terminationGracePeriodSeconds', 'entityOperator'])
      await expect(server.kubectl(args, manifests.replace(field, `${field}Typo`))).rejects.toThrow(`${field}Typo`);
  });

  it('is refused with a value that the chart does not have, by its name', async () => {
    await expect(render([...values, '--set', 'annotator.replica=2'])).rejects.toThrow(/replica/);
  });
});
