import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { CHART, configIn, fileIn, objectsOf, renderChart, runHelm } from './rendered-chart.js';

const RULES = join(import.meta.dirname, '../../deploy/prometheus');
const broker = ['--set', 'kafka.brokers={kafka:9092}'];
const values = [...broker, '--set', 'metrics.enabled=true'];

let work: string;
beforeAll(() => void (work = mkdtempSync(join(tmpdir(), 'mpa-metrics-'))));
afterAll(() => rmSync(work, { recursive: true }));

it('has all four services and the driver show their metrics, at ports that a pod monitor finds and Prometheus may reach', async () => {
  const manifests = await renderChart([...values, '--set', 'metrics.podMonitor.enabled=true']);
  for (const service of ['annotator', 'parity', 'evaluator', 'trainer'])
    expect(configIn(manifests, service)['metrics']).toEqual({ listen: '0.0.0.0:9100' });
  expect(fileIn(manifests, 'mpa-align', 'align.yaml')['metrics']).toEqual({ listen: '0.0.0.0:9101' });
  const objects = objectsOf(manifests);
  const pods = objects.flatMap(({ spec }) => spec?.template ?? []);
  const shown = pods.flatMap(({ spec }) => [...(spec.initContainers ?? []), ...spec.containers]);
  const at = (port: string, number: number): string[] =>
    shown
      .filter(({ ports = [] }) => ports.some(({ name, containerPort }) => name === port && containerPort === number))
      .map(({ name }) => name);
  expect(at('metrics', 9100).sort()).toEqual(['annotator', 'evaluator', 'parity', 'trainer']);
  expect(at('metrics-align', 9101)).toEqual(['align']);

  const [monitor] = objects.filter(({ kind }) => kind === 'PodMonitor');
  const [policy] = objects.filter(({ metadata }) => metadata.name === 'mpa-metrics');
  expect(monitor).toMatchObject({ spec: { podMetricsEndpoints: [{ port: 'metrics' }, { port: 'metrics-align' }] } });
  const from = [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } }];
  const ports = [9100, 9101].map((port) => ({ protocol: 'TCP', port }));
  expect(policy).toMatchObject({ spec: { ingress: [{ from, ports }] } });
  for (const pod of pods) {
    expect(pod.metadata.labels).toMatchObject(monitor!.spec!.selector!.matchLabels);
    expect(pod.metadata.labels).toMatchObject(policy!.spec!.podSelector!.matchLabels);
  }
});

it('brings the rules of deploy/prometheus, whole, also once it is packaged', async () => {
  await runHelm(['package', CHART, '--destination', work]);
  const chart = join(work, readdirSync(work)[0]!);
  const rules = objectsOf(await renderChart([...values, '--set', 'metrics.prometheusRule.enabled=true'], chart)).filter(
    ({ kind }) => kind === 'PrometheusRule',
  );
  const { rule_files: files } = parse(readFileSync(join(RULES, 'prometheus.yml'), 'utf8')) as { rule_files: string[] };
  expect(rules.map(({ metadata }) => `${metadata.name}.yml`).sort()).toEqual(files.map((file) => `mpa-${file}`).sort());
  for (const { metadata, spec } of rules)
    expect(spec).toEqual(parse(readFileSync(join(RULES, `${metadata.name.replace('mpa-', '')}.yml`), 'utf8')));
});

it('shows nothing, and makes nothing of it, unless it is told to', async () => {
  const manifests = await renderChart([...broker, '--set', 'metrics.podMonitor.enabled=true']);
  expect(manifests).not.toMatch(/910[01]|PodMonitor|PrometheusRule/);
});
