import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { CACHE, goProgram } from './go-programs.js';
import { runProgram } from './run-program.js';

/** Folder of the chart. */
export const CHART = join(import.meta.dirname, '../../deploy/helm/mpa');

const HELM_MS = 2 * 60_000;

/** What these tests look at of the objects that the chart makes. */
export interface KubernetesObject {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly data?: Readonly<Record<string, string>>;
  /** Of a PriorityClass. */
  readonly value?: number;
  readonly spec?: {
    readonly template?: PodTemplate;
    /** Of a PodMonitor. */
    readonly selector?: Selector;
    /** Of a NetworkPolicy. */
    readonly podSelector?: Selector;
  };
}

interface Selector {
  readonly matchLabels: Readonly<Record<string, string>>;
}

/** The pods that an object makes. */
export interface PodTemplate {
  readonly metadata: KubernetesObject['metadata'] & { readonly annotations?: Readonly<Record<string, string>> };
  readonly spec: PodSpec;
}

interface PodSpec {
  readonly initContainers?: readonly Container[];
  readonly containers: readonly Container[];
  readonly volumes: readonly { readonly name: string }[];
}

interface Container {
  readonly name: string;
  readonly args: readonly string[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
}

/** Runs helm with folders of its own, against the cluster of `kubeconfig` if it needs one. Throws an Error when it fails. */
export async function runHelm(args: readonly string[], kubeconfig = '/dev/null'): Promise<string> {
  const home = join(CACHE, 'helm');
  const env = { HELM_CACHE_HOME: home, HELM_CONFIG_HOME: home, HELM_DATA_HOME: home, KUBECONFIG: kubeconfig };
  return (await runProgram(await goProgram('helm'), args, { timeoutMs: HELM_MS, env })).stdout;
}

/**
 * The manifests of a release `mpa` in the namespace `mpa`. Throws an Error when the chart refuses the values.
 *
 * @param values arguments of helm, such as `--values FILE`
 */
export function renderChart(values: readonly string[], chart = CHART, namespace = 'mpa'): Promise<string> {
  return runHelm(['template', 'mpa', chart, '--namespace', namespace, '--kube-version', '1.34.0', ...values]);
}

/** The objects in manifests. */
export function objectsOf(manifests: string): KubernetesObject[] {
  return parseAllDocuments(manifests)
    .map((document) => document.toJS() as KubernetesObject | null)
    .filter((object) => object !== null);
}

/** A file in a ConfigMap of the release, parsed. */
export function fileIn(manifests: string, map: string, name: string): Readonly<Record<string, unknown>> {
  const found = objectsOf(manifests).find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === map);
  return parse(found!.data![name]!) as Readonly<Record<string, unknown>>;
}

/** The configuration of a service of the release. */
export function configIn(manifests: string, service: string): Readonly<Record<string, unknown>> {
  return service === 'trainer'
    ? fileIn(manifests, 'mpa-align', 'trainer.yaml')
    : fileIn(manifests, `mpa-${service}`, 'config.yaml');
}

/** The arguments of the driver's containers, in their order, but for the trainer's own. */
export function commandsIn(manifests: string): (readonly string[])[] {
  const job = objectsOf(manifests).find(({ kind }) => kind === 'Job')!;
  const { initContainers = [], containers } = job.spec!.template!.spec;
  const own = [...initContainers, ...containers].filter(({ name }) => !name.endsWith('trainer'));
  return own.map(({ args }) => args);
}
