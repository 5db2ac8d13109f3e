import { createHash } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Summary } from '@mpa/console';
import { lastObject, runMpa, writeSpeakingCheckpoint } from '@mpa/cli/testing';
import { annotationPrompt } from '@mpa/prompts';
import { kafkaReleases, startBroker, type Broker } from '@mpa/streams/testing';
import { loadTensorflow } from '@mpa/tensorflow';

const STUDENT = new URL('../../fixtures/vlm/smolvlm-a/', import.meta.url).pathname;
/** Labelled images at most, of which each has several questions; and images for each of them. */
const LABELLED = 40;
const IMAGES_A_LABELLED = 4;
/** One in so many images cannot be read. */
const BROKEN_EVERY = 40;
/** Images that the teacher is taught on. */
const TAUGHT_ON = 8;

/** Settings of the services, as they are in `mpa align --config`; elsewhere each has its own part, with `kafka`. */
export const settings = {
  annotator: { batch: 4, diversity: { maxShare: 1 }, model: { threads: 1 } },
  parity: { batch: 8, model: { threads: 1 } },
  trainer: { training: { batch: 4, epochs: 2, saveEvery: 5 } },
  evaluator: { batch: 8, model: { threads: 1 } },
  kafka: { partitions: 8, sessionTimeoutMs: 6_000, heartbeatIntervalMs: 500 },
};

/** Images for a run. */
export interface Images {
  readonly folder: string;
  readonly count: number;
  /** How many of them can be read. */
  readonly readable: number;
}

/** A run that nothing disturbed. */
export interface Undisturbed {
  readonly summary: Summary;
  /** Digest of the levelled checkpoint: its weights and the adapter's. */
  readonly checkpoint: string;
}

/** What all scenarios share: models, images, labelled questions, and for each number of images the undisturbed run. */
export class Workbench {
  #broker: Promise<Broker> | undefined;
  readonly #undisturbed = new Map<string, Promise<Undisturbed>>();

  private constructor(
    readonly folder: string,
    /** Images that the longest scenario is run on. */
    readonly most: number,
    /** Seed of all that is drawn at random. */
    readonly seed: number,
    readonly teacher: string,
    readonly student: string,
    readonly labelled: { readonly annotations: string; readonly images: string },
  ) {}

  /** Draws images and questions, and teaches the teacher. What is in the folder from an earlier time is kept. */
  static async open(folder: string, most: number, seed: number): Promise<Workbench> {
    const [drawn, labelled, teacher] = ['drawn', 'labelled', 'teacher'].map((name) => join(folder, name)) as [string, string, string]; // prettier-ignore
    await draw('train', most, drawn);
    await draw('test', Math.min(LABELLED, Math.ceil(most / IMAGES_A_LABELLED)), labelled);
    if (!existsSync(join(teacher, 'config.json'))) {
      const lines = [
        { prompt: annotationPrompt('chartqa'), answer: 'Question: What is drawn? Answer: a chart' },
        { prompt: 'What is drawn?', answer: 'a chart' },
      ];
      await loadTensorflow();
      const images = imagesIn(drawn).slice(0, TAUGHT_ON);
      await writeSpeakingCheckpoint(teacher, STUDENT, lines, images);
    }
    const benchmark = { annotations: join(labelled, 'test_human.json'), images: join(labelled, 'images') };
    return new Workbench(folder, most, seed, teacher, STUDENT, benchmark);
  }

  /** At most so many images: what a scenario asks for, or less when all are to be quicker. */
  atMost(count: number): number {
    return Math.min(count, this.most);
  }

  /** A folder of so many images, some of which cannot be read. */
  images(count: number): Images {
    const folder = join(this.folder, `images-${count}`);
    const images = { folder, count, readable: count - Math.floor(count / BROKEN_EVERY) };
    if (existsSync(folder)) return images;
    mkdirSync(folder);
    const drawn = imagesIn(join(this.folder, 'drawn')).slice(0, count);
    for (const [i, file] of drawn.entries()) {
      const to = join(folder, `${String(i).padStart(5, '0')}.png`);
      if (i % BROKEN_EVERY === BROKEN_EVERY - 1) writeFileSync(to, readFileSync(file).subarray(0, 200));
      else linkSync(file, to);
    }
    return images;
  }

  /** The flags of `mpa align` that all runs have in common; topics have so many copies. */
  alignFlags(images: string, replication = 1): string[] {
    const config = join(this.folder, `align-${replication}.json`);
    writeFileSync(config, JSON.stringify({ ...settings, kafka: { ...settings.kafka, replication } }));
    const { annotations, images: labelledImages } = this.labelled;
    return ['align', '--images', images, '--task', 'chartqa', '--teacher', this.teacher, '--student', this.student, '--config', config, '--eval', annotations, '--eval-images', labelledImages, '--json']; // prettier-ignore
  }

  /** Addresses of a cluster that scenarios share that do not harm it. */
  async brokers(): Promise<readonly string[]> {
    return (await (this.#broker ??= startBroker(kafkaReleases.at(-1)!))).brokers;
  }

  /** Stops the cluster. */
  async close(): Promise<void> {
    await (await this.#broker)?.stop();
  }

  /** What `mpa align` makes of a folder of images in one process, undisturbed. Throws when it fails. */
  undisturbed({ folder }: Images): Promise<Undisturbed> {
    const known = this.#undisturbed.get(folder) ?? this.#runUndisturbed(folder);
    this.#undisturbed.set(folder, known);
    return known;
  }

  async #runUndisturbed(images: string): Promise<Undisturbed> {
    const run = join(this.folder, 'runs', `undisturbed-${basename(images)}`);
    const ended = await runMpa(...this.alignFlags(images), '--out', run);
    if (ended.code !== 0) throw new Error(`the undisturbed run failed: ${ended.stderr}`);
    return {
      summary: lastObject(ended) as unknown as Summary,
      checkpoint: digestOf(join(run, 'checkpoints', 'student')),
    };
  }
}

/** Digest of a checkpoint's weights, with those of its adapter. */
export function digestOf(checkpoint: string): string {
  const hash = createHash('sha256');
  for (const file of ['model.safetensors', 'adapter/adapter_model.safetensors']) {
    hash.update(readFileSync(join(checkpoint, file)));
  }
  return hash.digest('hex');
}

async function draw(split: string, count: number, folder: string): Promise<void> {
  const ended = await runMpa('world', '--task', 'chartqa', '--split', split, '--count', String(count), '--out', folder);
  if (ended.code !== 0) throw new Error(`cannot draw images: ${ended.stderr}`);
}

function imagesIn(drawn: string): string[] {
  const folder = join(drawn, 'images');
  return readdirSync(folder).sort().map((name) => join(folder, name)); // prettier-ignore
}
