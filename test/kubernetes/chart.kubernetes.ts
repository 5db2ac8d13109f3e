import { join } from 'node:path';
import { annotator } from '@mpa/annotator';
import { evaluator } from '@mpa/evaluator';
import { parity } from '@mpa/parity';
import { checkConfig, configSchema, type Service } from '@mpa/service-kit';
import { trainer } from '@mpa/trainer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { startApiServer, type ApiServer } from './api-server.js';
import { kedaResources, prometheusResources, strimziResources } from './custom-resources.js';
import { CHART, commandsIn, configIn, objectsOf, renderChart, runHelm } from './rendered-chart.js';
import { runProgram } from './run-program.js';

const COMPONENTS = ['annotator', 'parity', 'evaluator', 'align'];

/** What is handed on to pods as it is, but for labels and annotations. */
const POD = {
  affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'gpu', operator: 'Exists' }] }] } } }, // prettier-ignore
  runtimeClassName: 'nvidia',
  serviceAccountName: 'runner',
};
const LABELS = { 'kueue.x-k8s.io/queue-name': 'gpus' };
const ANNOTATIONS = { 'karpenter.sh/do-not-disrupt': 'true' };
const VOLUME = { name: 'photos', persistentVolumeClaim: { claimName: 'photos' } };
const MOUNT = { name: 'photos', mountPath: '/photos', readOnly: true };
const PASSED_ON = COMPONENTS.flatMap((component) => {
  const mounts = { extraVolumes: [VOLUME], extraVolumeMounts: [MOUNT] };
  const values = { ...POD, podLabels: LABELS, podAnnotations: ANNOTATIONS, ...mounts };
  return ['--set-json', `${component}=${JSON.stringify(values)}`];
}).concat(['--set-json', `trainer.extraVolumeMounts=${JSON.stringify([MOUNT])}`]);

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
  ['with all that a cluster may ask of pods', ['--set', 'kafka.brokers={kafka:9092}', ...PASSED_ON]],
  [
    'whose callers show a token',
    ['--set', 'kafka.brokers={kafka:9092}', '--set', 'tls.secret=certificate', '--set', 'tls.token.secret=token'],
  ],
] as const;

let server: ApiServer;

beforeAll(async () => {
  server = await startApiServer();
  for (const definitions of [await kedaResources(), await strimziResources(), await prometheusResources()])
    await server.kubectl(['create', '-f', '-'], definitions);
  await server.kubectl(['create', 'namespace', 'mpa']);
  const runtime = { apiVersion: 'node.k8s.io/v1', kind: 'RuntimeClass', metadata: { name: POD.runtimeClassName } };
  await server.kubectl(['create', '-f', '-'], JSON.stringify({ ...runtime, handler: 'nvidia' }));
  // What a cluster may insist on at most: https://kubernetes.io/docs/concepts/security/pod-security-standards/
  for (const mode of ['enforce', 'warn'])
    await server.kubectl(['label', 'namespace', 'mpa', `pod-security.kubernetes.io/${mode}=restricted`]);
  await server.kubectl(['wait', '--for=condition=Established', 'customresourcedefinitions', '--all', '--timeout=60s']);
});

afterAll(async () => {
  await server?.stop();
});

/** Runs helm against the API server. */
const helm = (...args: readonly string[]): Promise<string> => runHelm(args, server.kubeconfig);

describe.each(releases)('%s', (_, values) => {
  it('passes helm lint', async () => {
    expect(await helm('lint', '--strict', CHART, ...values)).toContain('0 chart(s) failed');
  });

  it('is taken by the API server, field by field, under the restricted pod security standard', async () => {
    const args = ['apply', '--namespace', 'mpa', '--dry-run=server', '--validate=strict', '-f', '-'];
    const { stdout, stderr } = await server.kubectl(args, await renderChart(values));
    expect(stderr).toBe('');
    expect(stdout).toMatch(/job.batch\/mpa-align-\S+ created \(server dry run\)/);
  });

  it('makes pods that the API server admits', async () => {
    for (const { kind, metadata, spec } of objectsOf(await renderChart(values))) {
      if (!['Deployment', 'Job'].includes(kind) || !spec?.template) continue;
      // Admission looks for the class of a pod, which a dry run has not made.
      const pod = { ...spec.template.spec, priorityClassName: undefined };
      const whole = { apiVersion: 'v1', kind: 'Pod', metadata: { name: metadata.name }, spec: pod };
      const args = ['create', '--namespace', 'mpa', '--dry-run=server', '-f', '-'];
      const { stdout } = await server.kubectl(args, JSON.stringify(whole));
      expect(stdout).toContain(`pod/${metadata.name} created (server dry run)`);
    }
  });

  it('gives every service and the driver a configuration that they take', async () => {
    const manifests = await renderChart(values);
    for (const service of [annotator, parity, evaluator, trainer] as readonly Service<z.ZodObject>[])
      checkConfig(configIn(manifests, service.name), configSchema(service), service.name);
    for (const args of commandsIn(manifests)) await callWithUnknownFlag(args);
  });
});

/** Calls `mpa` with one flag more, that does not exist: so all others do. */
async function callWithUnknownFlag(args: readonly string[]): Promise<void> {
  const bin = join(import.meta.dirname, '../../libs/cli/bin/mpa.js');
  const called = runProgram(process.execPath, [bin, ...args, '--no-such-flag'], { timeoutMs: 120_000 });
  await expect(called).rejects.toThrow(/unknown option '--no-such-flag'/);
}

it('hands on what a cluster asks of pods: accounts, classes, labels, volumes', async () => {
  const made = objectsOf(await renderChart(['--set', 'kafka.brokers={kafka:9092}', ...PASSED_ON]));
  const workloads = made.filter(({ spec }) => spec?.template);
  expect(workloads).toHaveLength(COMPONENTS.length);
  for (const { metadata, spec } of workloads) {
    const { metadata: ofPod, spec: pod } = spec!.template!;
    // Kueue looks at the object that makes the pods.
    for (const { labels } of [metadata, ofPod]) expect(labels).toMatchObject(LABELS);
    expect(ofPod.labels).toMatchObject({ 'app.kubernetes.io/name': 'mpa' });
    expect(ofPod.annotations).toMatchObject(ANNOTATIONS);
    expect(pod).toMatchObject(POD);
    expect(pod.volumes).toContainEqual(VOLUME);
    for (const { volumeMounts } of [...(pod.initContainers ?? []), ...pod.containers])
      expect(volumeMounts).toContainEqual(MOUNT);
  }
});

it('gives no pod a priority above those of others, under names of its namespace', async () => {
  const values = ['--set', 'kafka.brokers={kafka:9092}', '--set', 'priorityClasses.enabled=true'];
  const classesIn = async (namespace: string): Promise<Readonly<Record<string, number>>> => {
    const classes = objectsOf(await renderChart(values, CHART, namespace)).filter(
      ({ kind }) => kind === 'PriorityClass',
    );
    return Object.fromEntries(classes.map(({ metadata, value }) => [metadata.name, value!]));
  };
  // What has no class has 0; beneath -10 cluster autoscalers add no node.
  expect(await classesIn('blue')).toEqual({ 'blue-mpa-work': -1, 'blue-mpa-training': 0 });
  expect(await classesIn('red')).toEqual({ 'red-mpa-work': -1, 'red-mpa-training': 0 });
});

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
    await helm('install', ...release);
    const [first] = await names('jobs');
    expect(await names('deployments')).toHaveLength(3);

    await helm('upgrade', ...release, '--set', 'annotator.config.batch=2');
    expect(await names('jobs')).toEqual([first]);
    await helm('upgrade', ...release, '--set', 'trainer.config.cacheMegabytes=64');
    const jobs = await names('jobs');
    expect(jobs).toHaveLength(1);
    expect(jobs).not.toEqual([first]);

    await helm('uninstall', 'mpa', '--namespace', 'mpa');
    for (const kind of ['deployments', 'jobs', 'services', 'networkpolicies']) expect(await names(kind)).toEqual([]);
    expect(await names('persistentvolumeclaims')).toEqual(['persistentvolumeclaim/mpa-data']);
  });

  it('would not get past the server with a field that its kinds do not have', async () => {
    const manifests = await renderChart(['--values', join(CHART, 'values-gpu-fleet.yaml')]);
    const args = ['apply', '--namespace', 'mpa', '--dry-run=server', '--validate=strict', '-f', '-'];
    for (const field of ['maxReplicaCount', 'terminationGracePeriodSeconds', 'entityOperator'])
      await expect(server.kubectl(args, manifests.replace(field, `${field}Typo`))).rejects.toThrow(`${field}Typo`);
  });

  it('is refused with a value that the chart does not have, by its name', async () => {
    await expect(renderChart([...values, '--set', 'annotator.replica=2'])).rejects.toThrow(/replica/);
  });
});
