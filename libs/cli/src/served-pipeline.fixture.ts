import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeWorld } from '@mpa/benchmarks';
import { writeAlignInputs, type AlignInputs } from './align-inputs.fixture.js';
import { startMpa } from './run-mpa.fixture.js';
import { serveService, type Served } from './serve-service.fixture.js';

/** The four services, each in a process of its own, and `mpa align` with them. */
export class ServedPipeline {
  private constructor(
    readonly services: readonly Served[],
    private readonly work: string,
    private readonly inputs: AlignInputs,
    private readonly labelled: { readonly annotations: string; readonly images: string },
  ) {}

  /**
   * @param work folder for all files
   * @param images how many to draw
   * @param settings keys that all services get
   */
  static async start(work: string, images: number, settings: object): Promise<ServedPipeline> {
    const inputs = await writeAlignInputs(work, images);
    const { annotations, imageFolder } = await writeWorld({ task: 'chartqa', split: 'test', count: 1, seed: 1, out: join(work, 'labelled') }); // prettier-ignore
    const cacheDir = join(work, 'graphs');
    const configs = {
      annotator: { model: { checkpoint: inputs.teacher, cacheDir }, batch: 2, diversity: { maxShare: 1 } },
      parity: { model: { checkpoint: inputs.student, cacheDir }, batch: 2 },
      trainer: { training: { batch: 4, epochs: 2 } },
      evaluator: { model: { cacheDir } },
    };
    const services = await Promise.all(
      Object.entries(configs).map(([name, config]) => serveService(name, { ...config, ...settings }, work)),
    );
    return new ServedPipeline(services, work, inputs, { annotations: annotations!, images: imageFolder });
  }

  /** Starts `mpa align`, whose run is called `run`, with these services; `config` is its own configuration. */
  align(run: string, config: object, ...more: string[]): ReturnType<typeof startMpa> {
    const [endpoints, settings] = [join(this.work, `${run}-endpoints.json`), join(this.work, `${run}.json`)];
    const addresses = this.services.map(({ name, address }) => [name, address]);
    writeFileSync(endpoints, JSON.stringify(Object.fromEntries(addresses)));
    writeFileSync(settings, JSON.stringify(config));
    const { teacher, student, images } = this.inputs;
    const flags = { images, task: 'chartqa', teacher, student, out: join(this.work, run), endpoints, config: settings, eval: this.labelled.annotations, 'eval-images': this.labelled.images }; // prettier-ignore
    const args = Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, value]);
    return startMpa(['align', ...args, '--json', ...more]);
  }

  /** Ends the services; what they have to tell is told then. */
  async stop(): Promise<void> {
    for (const { child } of this.services) child.kill('SIGTERM');
    await Promise.all(this.services.map(({ ended }) => ended));
  }
}
