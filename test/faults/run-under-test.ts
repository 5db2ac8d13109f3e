import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lastObject, startMpa } from '@mpa/cli/testing';
import type { Summary } from '@mpa/console';
import { topics } from '@mpa/service-kit';
import { runPaths, type RunPaths } from '@mpa/storage';
import { formatKafkaPlace, kafkaOptions, openKafkaStreams, type Streams } from '@mpa/streams';
import { answersGauge, recordsGauge, stepsGauge, type Gauge } from './gauges.js';
import { SupervisedService, type Surroundings } from './supervised-service.js';
import { settings, type Images, type Workbench } from './workbench.js';

/** The services, each with so many processes. */
export const serviceNames = ['annotator', 'parity', 'trainer', 'evaluator'] as const;
export type ServiceName = (typeof serviceNames)[number];

/** How a run is laid out. */
export interface RunOptions {
  readonly brokers: readonly string[];
  readonly images: Images;
  readonly replication?: number;
  /** Surroundings of each process of a service; one process if left out. */
  readonly processes?: Partial<Record<ServiceName, readonly Surroundings[]>>;
  /** Environment of all processes. */
  readonly env?: NodeJS.ProcessEnv;
  /** More settings of a service. */
  readonly more?: Partial<Record<ServiceName, object>>;
}

/** `mpa align` on Kafka with its services in processes of their own, all of which may be harmed. */
export class RunUnderTest {
  readonly paths: RunPaths;
  /** Of this harness, to look on. */
  readonly streams: Streams;
  readonly annotated: Gauge;
  readonly decided: Gauge;
  readonly trained: Gauge;
  readonly evaluated: Gauge;
  /** Resolves when the command has ended by itself. */
  readonly ended: Promise<unknown>;
  #end: () => void = () => undefined;
  #align: ReturnType<typeof startMpa> | undefined;
  #killed: ReturnType<typeof startMpa> | undefined;
  #said = '';

  private constructor(
    private readonly bench: Workbench,
    readonly name: string,
    readonly services: Readonly<Record<ServiceName, readonly SupervisedService[]>>,
    private readonly options: RunOptions,
  ) {
    this.paths = runPaths(join(bench.folder, 'runs', name));
    const place = formatKafkaPlace({ brokers: options.brokers, prefix: name });
    this.streams = openKafkaStreams(place, kafkaOptions.parse(settings.kafka));
    this.annotated = recordsGauge(this.streams, topics.annotations.name, options.images.count);
    this.decided = recordsGauge(this.streams, topics.decisions.name, options.images.readable);
    this.trained = stepsGauge(this.paths);
    this.evaluated = answersGauge(this.paths);
    this.ended = new Promise<void>((resolve) => (this.#end = resolve));
  }

  /** Lays the run out under a name of its own; `start` starts its services, and `align` the command. */
  static async make(bench: Workbench, name: string, options: RunOptions): Promise<RunUnderTest> {
    const { env = {}, processes = {}, more = {}, replication = 1 } = options;
    const work = join(bench.folder, 'services', name);
    rmSync(join(bench.folder, 'runs', name), { recursive: true, force: true });
    mkdirSync(work, { recursive: true });
    const kafka = { ...settings.kafka, replication };
    const cacheDir = join(bench.folder, 'graphs');
    const checkpoints: Partial<Record<ServiceName, string>> = { annotator: bench.teacher, parity: bench.student };
    const services = {} as Record<ServiceName, SupervisedService[]>;
    for (const service of serviceNames) {
      const own: object & { readonly model?: object } = { ...settings[service], ...more[service] };
      const checkpoint = checkpoints[service];
      const model = own.model && { model: { ...own.model, cacheDir, ...(checkpoint && { checkpoint }) } };
      const made = (processes[service] ?? [{}]).map((each) =>
        SupervisedService.make(service, { ...own, ...model, kafka }, work, { ...each, env: { ...env, ...each.env } }),
      );
      services[service] = await Promise.all(made);
    }
    return new RunUnderTest(bench, name, services, options);
  }

  /** Starts the services, all or those that are named. */
  start(services: readonly SupervisedService[] = Object.values(this.services).flat()): this {
    for (const service of services) service.start();
    return this;
  }

  /** Starts `mpa align`, or starts it again. */
  align(): this {
    const { brokers, images, env = {}, replication = 1 } = this.options;
    const addresses = Object.entries(this.services).map(([name, processes]) => {
      const all = processes.map(({ address }) => address);
      return [name, all.length === 1 ? all[0] : all];
    });
    const endpoints = join(this.#work, 'endpoints.json');
    writeFileSync(endpoints, JSON.stringify(Object.fromEntries(addresses)));
    const kafka = ['--streams', 'kafka', '--brokers', brokers.join(','), '--prefix', this.name];
    const flags = this.bench.alignFlags(images.folder, replication);
    const started = startMpa([...flags, '--out', this.paths.folder, ...kafka, '--endpoints', endpoints], { env });
    started.child.stderr!.on('data', (chunk: Buffer) => (this.#said += chunk.toString()));
    void started.ended.then(() => started === this.#killed || this.#end());
    this.#align = started;
    return this;
  }

  /** What all commands so far have written to standard error. */
  get said(): string {
    return this.#said;
  }

  /** SIGKILL to the command; resolves when it is gone. */
  async killAlign(): Promise<void> {
    this.#killed = this.#align;
    this.#align!.child.kill('SIGKILL');
    await this.#align!.ended;
  }

  /** Waits for the end of the command. Throws what it said when it failed. */
  async summary(): Promise<Summary> {
    const ended = await this.#align!.ended;
    if (ended.code !== 0)
      throw new Error(`mpa align ended with ${ended.code}: ${ended.stderr.trim().split('\n').at(-1)}`);
    return lastObject(ended) as unknown as Summary;
  }

  /** Ends whatever is left of it, and leaves what all processes said beside their configurations. */
  async close(): Promise<void> {
    this.#align?.child.kill('SIGKILL');
    const services = Object.values(this.services).flat();
    await Promise.all(services.map((service) => service.stop('SIGKILL')));
    await this.#align?.ended;
    await this.streams.close();
    const log = (name: string, text: string): void => writeFileSync(join(this.#work, `${name}.log`), text);
    log('align', this.#said);
    for (const [i, service] of services.entries()) log(`${i}-${service.name}`, service.log);
  }

  get #work(): string {
    return join(this.bench.folder, 'services', this.name);
  }
}
