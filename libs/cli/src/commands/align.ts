import { resolve } from 'node:path';
import { tasks, type Task } from '@mpa/answer-metrics';
import { imageAccess, readConfig } from '@mpa/service-kit';
import { runPaths } from '@mpa/storage';
import { Option, type Command } from 'commander';
import { UsageError } from '../cli-error.js';
import type { CommandContext } from '../command-context.js';
import { alignConfigSchema } from '../pipeline/align-config.js';
import { endpointsSchema } from '../pipeline/endpoints.js';
import type { TaskSource } from '../pipeline/pipeline-options.js';
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
    .option('--teacher <model>', 'checkpoint folder of the large model; an imported run may do without')
    .requiredOption('--student <model>', 'checkpoint folder of the small model')
    .requiredOption('--out <run>', 'folder of the run: records, checkpoint, report.html')
    .option('--config <file>', 'settings of the services, YAML or JSON')
    .option('--eval <annotations>', "labelled questions in the benchmark's own schema")
    .option('--eval-images <dir>', 'folder of their images')
    .option('--endpoints <file>', 'addresses of services that run elsewhere, YAML or JSON')
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
  const options = {
    run: resolve(flags.out),
    sources: [{ ...(await sourceOf(flags)), ...labelled }],
    ...(flags.teacher !== undefined && { teacher: resolve(flags.teacher) }),
    student: resolve(flags.student),
    config,
    endpoints,
  };
  await levelStudent(options, flags.json === true, context);
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

/** An absolute path or glob; a URI is one already. */
function placeOf(images: string): string {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(images) ? images : resolve(images);
}
