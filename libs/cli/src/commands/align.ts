import { basename, resolve } from 'node:path';
import { tasks, type Task } from '@mpa/answer-metrics';
import { isEndpoint } from '@mpa/inference';
import { imageAccess, readConfig } from '@mpa/service-kit';
import { runPaths, withoutPassword } from '@mpa/storage';
import { kafkaCredentials } from '@mpa/streams';
import { Option, type Command } from 'commander';
import { UsageError } from '../cli-error.js';
import type { CommandContext } from '../command-context.js';
import { numberBetween, wholeNumber } from '../option-values.js';
import { alignConfigSchema } from '../pipeline/align-config.js';
import { kafkaPlaceOf } from '../kafka-flags.js';
import { annotatorOf } from '../pipeline/annotator-settings.js';
import { endpointsSchema, type Endpoints } from '../pipeline/endpoints.js';
import type { PipelineOptions, TaskSource } from '../pipeline/pipeline-options.js';
import { readRunState } from '../pipeline/run-state.js';
import { levelStudent } from './level-student.js';

interface AlignFlags {
  readonly images?: string;
  readonly imageRoot?: readonly string[];
  readonly allowHosts?: readonly string[];
  readonly task?: Task;
  readonly teacher?: string;
  readonly student: string;
  readonly out: string;
  readonly config?: string;
  readonly eval?: string;
  readonly evalImages?: string;
  readonly endpoints?: string;
  readonly teacherModel?: string;
  readonly teacherKeyEnv?: string;
  readonly maxRequests?: number;
  readonly maxTokens?: number;
  readonly maxCost?: number;
  readonly streams: 'embedded' | 'kafka';
  readonly brokers?: string;
  readonly prefix?: string;
  readonly json?: boolean;
}

/** `mpa align`: levels a small model against a large one on a folder of unlabeled images. */
export function addAlign(program: Command, context: CommandContext): void {
  program
    .command('align')
    .description('level a small model against a large one on unlabeled images; run it again to go on')
    .option(
      '--images <source>',
      'unlabeled images: folder, glob, shard, list; also s3:// and https://; not for a run that mpa import made',
    )
    .option('--image-root <place...>', 'folders or s3://BUCKET/PREFIX that a list may name images in')
    .option('--allow-hosts <host...>', 'web servers that images may be read from')
    .addOption(new Option('--task <task>', 'what they are to be asked about; likewise').choices(tasks))
    .option(
      '--teacher <model>',
      'checkpoint folder of the large model, or URL of an OpenAI-compatible endpoint; an imported run may do without',
    )
    .requiredOption('--student <model>', 'checkpoint folder of the small model')
    .requiredOption('--out <run>', 'folder of the run: records, checkpoint, report.html')
    .option('--config <file>', 'settings of the services, YAML or JSON')
    .option('--eval <annotations>', "labelled questions in the benchmark's own schema")
    .option('--eval-images <dir>', 'folder of their images')
    .option('--endpoints <file>', 'addresses of services that run elsewhere, YAML or JSON')
    .option('--teacher-model <name>', "the endpoint's name of the model")
    .option('--teacher-key-env <variable>', 'environment variable that holds its key (default: OPENAI_API_KEY)')
    .option('--max-requests <n>', 'most requests to the endpoint over all sessions of the run', wholeNumber(1))
    .option('--max-tokens <n>', 'most tokens, input and output together', wholeNumber(1))
    .option('--max-cost <amount>', 'most cost; needs prices in the configuration', numberBetween(0, Infinity))
    .addOption(
      new Option('--streams <kind>', 'where the records are: in the run folder, or on Apache Kafka')
        .choices(['embedded', 'kafka'])
        .default('embedded'),
    )
    .option('--brokers <list>', 'HOST:PORT,... of the cluster, with --streams kafka')
    .option('--prefix <name>', "what the run's topics and groups begin with (default: the name of the run folder)")
    .option('--json', 'print the result as one JSON object')
    .action((flags: AlignFlags) => align(flags, context));
}

async function align(flags: AlignFlags, context: CommandContext): Promise<void> {
  if ((flags.eval === undefined) !== (flags.evalImages === undefined)) {
    throw new UsageError('--eval and --eval-images belong together: give both or neither');
  }
  const settings = flags.config ? await readConfig(flags.config, alignConfigSchema) : alignConfigSchema.parse({});
  const config = flags.allowHosts
    ? { ...settings, images: imageAccess.parse({ ...settings.images, allowHosts: flags.allowHosts }) }
    : settings;
  const endpoints = flags.endpoints ? await readConfig(flags.endpoints, endpointsSchema) : {};
  const labelled =
    flags.eval !== undefined && flags.evalImages !== undefined
      ? { eval: { annotations: resolve(flags.eval), images: resolve(flags.evalImages) } }
      : {};
  const options: PipelineOptions = {
    run: resolve(flags.out),
    sources: [{ ...(await sourceOf(flags)), ...labelled }],
    ...teacherOf(flags, endpoints),
    student: resolve(flags.student),
    config,
    endpoints,
    ...kafkaOf(flags, context),
  };
  if (options.endpoint) annotatorOf(options);
  await levelStudent(options, flags.json === true, context);
}

function kafkaOf(
  { streams, brokers, prefix, out }: AlignFlags,
  { env }: CommandContext,
): Pick<PipelineOptions, 'kafka'> {
  if (streams === 'embedded') {
    if (brokers !== undefined || prefix !== undefined)
      throw new UsageError('--brokers and --prefix are for --streams kafka');
    return {};
  }
  if (brokers === undefined) throw new UsageError('--streams kafka needs --brokers HOST:PORT,...');
  return { kafka: { ...kafkaPlaceOf(brokers, prefix ?? basename(resolve(out))), credentials: kafkaCredentials(env) } };
}

/** The L-VLM by its folder, or by URL and what belongs to it. Throws UsageError for flags that do not go together. */
function teacherOf(flags: AlignFlags, { annotator }: Endpoints): Pick<PipelineOptions, 'teacher' | 'endpoint'> {
  const { teacher, teacherModel: model, teacherKeyEnv: keyVariable } = flags;
  const { maxRequests: requests, maxTokens: tokens, maxCost: cost } = flags;
  const budget = {
    ...(requests !== undefined && { requests }),
    ...(tokens !== undefined && { tokens }),
    ...(cost !== undefined && { cost }),
  };
  const hasBudget = Object.keys(budget).length > 0;
  if (teacher === undefined || !isEndpoint(teacher)) {
    if (model !== undefined || keyVariable !== undefined || hasBudget) {
      throw new UsageError('--teacher-model, --teacher-key-env and --max-... are for a --teacher that is a URL');
    }
    return teacher === undefined ? {} : { teacher: resolve(teacher) };
  }
  if (model === undefined) throw new UsageError(`--teacher is a URL: name the model there with --teacher-model`);
  if (annotator !== undefined && (keyVariable !== undefined || hasBudget)) {
    throw new UsageError('the annotator runs elsewhere: its key and budget are in its own configuration');
  }
  return { teacher, endpoint: { model, budget, ...(keyVariable !== undefined && { keyVariable }) } };
}

/** The images that the flags name, or what `mpa import` has put into the run. */
async function sourceOf({ images, imageRoot, task, teacher, out }: AlignFlags): Promise<TaskSource> {
  const { imported } = await readRunState(runPaths(out));
  if (imported) {
    if (images === undefined && task === undefined) return { task: imported.task, images: imported.file };
    throw new UsageError(`${out} begins with the annotations of ${imported.file}: leave --images and --task out`);
  }
  if (images !== undefined && task !== undefined && teacher !== undefined) {
    return { task, images: placeOf(images), ...(imageRoot && { imageRoots: imageRoot.map(placeOf) }) };
  }
  const missing = Object.entries({ images, task, teacher }).flatMap(([flag, value]) => (value === undefined ? [`--${flag}`] : [])); // prettier-ignore
  throw new UsageError(`give ${missing.join(', ')}, or begin the run with mpa import`);
}

/** An absolute path or glob; a URI is one already. Throws UsageError for a password, since the run's folder keeps where its images are. */
function placeOf(images: string): string {
  if (images !== withoutPassword(images)) throw new UsageError('images are not read from URLs with a user or password');
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(images) ? images : resolve(images);
}
