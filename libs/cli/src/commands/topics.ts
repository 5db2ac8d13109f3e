import { readConfig, topics } from '@mpa/service-kit';
import { checkTopics, createTopics, kafkaCredentials, type TopicReport } from '@mpa/streams';
import type { Command } from 'commander';
import { CliError, UsageError } from '../cli-error.js';
import type { CommandContext } from '../command-context.js';
import { kafkaPlaceOf } from '../kafka-flags.js';
import { wholeNumber } from '../option-values.js';
import { alignConfigSchema } from '../pipeline/align-config.js';

interface TopicsFlags {
  readonly brokers: string;
  readonly prefix: string;
  readonly create?: boolean;
  readonly check?: boolean;
  readonly partitions?: number;
  readonly replication?: number;
  readonly config?: string;
  readonly json?: boolean;
}

/** `mpa topics`: makes or checks a run's topics on Apache Kafka. */
export function addTopics(program: Command, context: CommandContext): void {
  program
    .command('topics')
    .description("check a run's topics on Apache Kafka: partitions, copies, retention; or make them")
    .requiredOption('--brokers <list>', 'HOST:PORT,... of the cluster')
    .requiredOption('--prefix <name>', 'what the topics of the run begin with: the name of its folder')
    .option('--create', 'make those that are not there, then check what a run cannot do without')
    .option('--check', 'only look (the default)')
    .option('--partitions <n>', 'partitions of each topic (default: of the configuration, or 8)', wholeNumber(1))
    .option('--replication <n>', 'copies of each partition (default: of the configuration, or 1)', wholeNumber(1))
    .option('--config <file>', 'the configuration of `mpa align`, for its kafka section, YAML or JSON')
    .option('--json', 'print the result as one JSON object')
    .action((flags: TopicsFlags) => manageTopics(flags, context));
}

async function manageTopics(flags: TopicsFlags, { out, env }: CommandContext): Promise<void> {
  if (flags.create && flags.check)
    throw new UsageError('--create and --check exclude each other: the first one checks too');
  const place = kafkaPlaceOf(flags.brokers, flags.prefix);
  const { kafka } = flags.config ? await readConfig(flags.config, alignConfigSchema) : alignConfigSchema.parse({});
  const { partitions = kafka.partitions, replication = kafka.replication } = flags;
  const names = Object.values(topics).map(({ name }) => name);
  const work = flags.create ? createTopics : checkTopics;
  const reports = await work(place, names, { ...kafka, partitions, replication }, kafkaCredentials(env));
  if (flags.json) out(JSON.stringify({ topics: reports }));
  else for (const line of reports.flatMap(linesOf)) out(line);
  // Whoever begins a run is not kept from it by a broker that is just being started anew.
  const isWrong = ({ problems, warnings }: TopicReport): boolean =>
    problems.length > 0 || (!flags.create && warnings.length > 0);
  const wrong = reports.filter(isWrong).length;
  if (wrong > 0) throw new CliError(`${wrong} of ${reports.length} topics are not as they should be`);
}

function linesOf({ name, partitions, replication, problems, warnings }: TopicReport): string[] {
  const differences = [...problems, ...warnings];
  const found =
    partitions > 0 ? `${partitions} partitions, ${replication} ${replication === 1 ? 'copy' : 'copies'}` : 'missing';
  return [
    `${name}  ${found}${differences.length === 0 ? ', in order' : ''}`,
    ...differences.map((difference) => `  ${difference}`),
  ];
}
