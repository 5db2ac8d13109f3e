import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApiServer, type ApiServer } from './api-server.js';
import { kedaResources } from './custom-resources.js';
import { CHART, fileIn, objectsOf, renderChart, runHelm } from './rendered-chart.js';

const FLEET = ['--values', join(CHART, 'values-gpu-fleet.yaml')];
const LAPTOP = ['--values', join(CHART, 'values-laptop.yaml')];
const SERVICES = ['annotator', 'evaluator', 'parity'];

/** What KEDA makes replicas of (https://keda.sh/docs/latest/reference/scaledobject-spec/). */
interface ScaledObject {
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> };
  readonly spec: {
    readonly minReplicaCount: number;
    readonly idleReplicaCount?: number;
    readonly maxReplicaCount: number;
    readonly advanced?: {
      readonly scalingModifiers: { readonly formula: string };
      readonly horizontalPodAutoscalerConfig: { readonly behavior: object };
    };
    readonly triggers: readonly { readonly type: string; readonly name: string; readonly metadata: Readonly<Record<string, string>> }[]; // prettier-ignore
  };
}

const scaledObjects = async (...values: readonly string[]): Promise<ScaledObject[]> =>
  objectsOf(await renderChart(values)).filter(({ kind }) => kind === 'ScaledObject') as unknown as ScaledObject[];

async function replicas(...values: readonly string[]): Promise<(number | undefined)[]> {
  const deployments = objectsOf(await renderChart(values)).filter(({ kind }) => kind === 'Deployment');
  return deployments.map(({ spec }) => (spec as { readonly replicas?: number }).replicas);
}

/** What KEDA's formula comes to; of its expressions ours has what JavaScript has too. */
function lagThatCounts({ spec }: ScaledObject, driver: number, lag: number): unknown {
  const { formula } = spec.advanced!.scalingModifiers;
  expect(formula).toMatch(/^driver > 0 \? max\(lag, \d\) : 0$/);
  return driver > 0 ? Math.max(lag, Number(/max\(lag, (\d)\)/.exec(formula)![1])) : 0;
}

describe('without a driver', () => {
  it('no pod waits for one when the run is stopped', async () => {
    const stopped = ['--set', 'align.enabled=false'];
    expect(await replicas(...LAPTOP, ...stopped)).toEqual([0, 0, 0]);
    const scaled = await scaledObjects(...FLEET, ...stopped);
    expect(scaled.map(({ metadata }) => metadata.name)).toEqual(SERVICES.map((service) => `mpa-${service}`));
    for (const { metadata } of scaled)
      expect(metadata.annotations).toEqual({ 'autoscaling.keda.sh/paused-replicas': '0' });
  });

  it('KEDA keeps no pods, whatever the lag and `minReplicas`, and with one those that there is work for', async () => {
    const [annotator, evaluator, parity] = await scaledObjects(...FLEET, '--set', 'parity.scaling.minReplicas=2');
    expect(annotator!.metadata.annotations).toBeUndefined();
    expect(lagThatCounts(annotator!, 0, 900)).toBe(0);
    expect(lagThatCounts(annotator!, 1, 900)).toBe(900);
    expect(lagThatCounts(annotator!, 1, 0)).toBe(0);
    expect(lagThatCounts(parity!, 1, 0)).toBe(1);
    expect(parity!.spec).toMatchObject({ minReplicaCount: 2, idleReplicaCount: 0 });
    expect(evaluator!.spec).toMatchObject({ minReplicaCount: 1, idleReplicaCount: 0, maxReplicaCount: 1 });
    expect(evaluator!.spec.triggers.map(({ type }) => type)).toEqual(['kubernetes-workload']);
  });

  it('is known by the pods of the Job', async () => {
    const manifests = await renderChart(FLEET);
    const { labels } = objectsOf(manifests).find(({ kind }) => kind === 'Job')!.spec!.template!.metadata;
    for (const { spec } of await scaledObjects(...FLEET)) {
      const { metadata } = spec.triggers.find(({ name }) => name === 'driver')!;
      const wanted = metadata['podSelector']!.split(',').map((label) => label.split('='));
      expect(labels).toMatchObject(Object.fromEntries(wanted) as Record<string, string>);
      for (const service of SERVICES) expect(wanted).not.toContainEqual(['app.kubernetes.io/component', service]);
    }
  });
});

it('refuses more replicas than there may be', async () => {
  const values = [...FLEET, '--set', 'annotator.scaling.minReplicas=40'];
  await expect(scaledObjects(...values)).rejects.toThrow('annotator: at least 40 replicas, and at most 32');
});

it('waits for whoever is gone as long as the longest may take to get a machine and to start', async () => {
  const patience = async (...values: readonly string[]): Promise<unknown> =>
    fileIn(await renderChart([...LAPTOP, ...values]), 'mpa-align', 'align.yaml')['patienceSeconds'];
  expect(await patience()).toBe(2400);
  expect(await patience('--set', 'evaluator.startupSeconds=3600')).toBe(4200);
  expect(await patience('--set', 'align.config.patienceSeconds=60')).toBe(60);
});

it('keeps the names of all objects short enough for labels, with any name of a release', async () => {
  const name = 'a-release-with-a-name-as-long-as-helm-lets-it-be-at-all'.slice(0, 53);
  const manifests = await runHelm(['template', name, CHART, '--kube-version', '1.34.0', ...FLEET]);
  for (const { kind, metadata } of objectsOf(manifests)) {
    const whole = kind === 'ScaledObject' ? `keda-hpa-${metadata.name}` : metadata.name;
    if (kind !== 'PriorityClass') expect(whole.length, whole).toBeLessThanOrEqual(63);
    expect(whole).not.toContain('--');
  }
});

it('has brokers each on a node of its own, with the memory that they ask for as their limit', async () => {
  const pool = async (...values: readonly string[]): Promise<unknown> =>
    objectsOf(await renderChart([...FLEET, ...values])).find(({ kind }) => kind === 'KafkaNodePool')!.spec;
  const key = { key: 'kafka', operator: 'Exists' };
  const spec = await pool('--set-json', `kafka.strimzi.template.pod.tolerations=[${JSON.stringify(key)}]`);
  const selected = { labelSelector: { matchLabels: { 'strimzi.io/pool-name': 'mpa-nodes' } } };
  expect(spec).toMatchObject({
    resources: { requests: { cpu: '2', memory: '8Gi' }, limits: { memory: '8Gi' } },
    template: {
      pod: {
        tolerations: [key],
        topologySpreadConstraints: [
          { topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'DoNotSchedule', ...selected },
          { topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'ScheduleAnyway', ...selected },
        ],
      },
    },
  });
  const given = await pool('--set', 'kafka.strimzi.resources.limits.memory=12Gi');
  expect(given).toMatchObject({ resources: { limits: { memory: '12Gi' } } });
});

describe('on an API server', () => {
  let server: ApiServer;
  beforeAll(async () => {
    server = await startApiServer();
    await server.kubectl(['create', '-f', '-'], await kedaResources());
    await server.kubectl(['create', 'namespace', 'mpa']);
  });
  afterAll(() => server?.stop());

  const created = async (object: object): Promise<string> =>
    (await server.kubectl(['create', '--namespace', 'mpa', '--dry-run=server', '-f', '-'], JSON.stringify(object)))
      .stdout;

  it.each([
    ['as they are', []],
    ['at their longest', ['--set', 'annotator.graceSeconds=3600', '--set', 'annotator.scaling.cooldownSeconds=7200']],
  ])('the scaling settings %s make an autoscaler that it takes', async (_, values) => {
    const [{ metadata, spec }] = (await scaledObjects(...FLEET, ...values)) as [ScaledObject];
    const autoscaler = {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: `keda-hpa-${metadata.name}` },
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: metadata.name },
        // As KEDA makes it: it scales to none by itself.
        minReplicas: Math.max(1, spec.minReplicaCount),
        maxReplicas: spec.maxReplicaCount,
        behavior: spec.advanced!.horizontalPodAutoscalerConfig.behavior,
      },
    };
    expect(await created(autoscaler)).toContain('created (server dry run)');
  });

  it('a service is rolled out by as many pods, or as much of them, as is said', async () => {
    for (const value of ['annotator.maxUnavailable=4', 'annotator.maxUnavailable=50%']) {
      const manifests = objectsOf(await renderChart([...LAPTOP, '--set', value]));
      const deployment = manifests.find(
        ({ metadata, kind }) => kind === 'Deployment' && metadata.name === 'mpa-annotator',
      )!;
      const { strategy } = deployment.spec as { readonly strategy?: object };
      const [, wanted] = value.split('=');
      const maxUnavailable = wanted === '4' ? 4 : wanted;
      expect(strategy).toEqual({ type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable } });
      expect(await created(deployment)).toContain('created (server dry run)');
    }
    await expect(renderChart([...LAPTOP, '--set', 'annotator.maxUnavailable=0'])).rejects.toThrow(/maxUnavailable/);
  });

  it('a failed Job that is deleted comes back with the same values', async () => {
    const release = ['mpa', CHART, '--namespace', 'mpa', ...LAPTOP];
    const jobs = async (): Promise<string> =>
      (await server.kubectl(['get', 'jobs', '-n', 'mpa', '-o', 'name'])).stdout.trim();
    await runHelm(['install', ...release], server.kubeconfig);
    const job = await jobs();
    const selector = 'app.kubernetes.io/instance=mpa,app.kubernetes.io/component=align';
    await server.kubectl(['delete', 'job', '-n', 'mpa', '--selector', selector]);
    expect(await jobs()).toBe('');
    await runHelm(['upgrade', ...release], server.kubeconfig);
    expect(await jobs()).toBe(job);
  });
});
