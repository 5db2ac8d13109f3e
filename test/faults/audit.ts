import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Summary } from '@mpa/console';
import { DecisionStatus } from '@mpa/contracts';
import { topics } from '@mpa/service-kit';
import { openEmbeddedStreams, type Streams } from '@mpa/streams';
import type { RunPaths } from '@mpa/storage';
import type { Observation } from './scenario.js';
import { digestOf, type Undisturbed } from './workbench.js';

/** What of a run has to be as in an undisturbed one. */
const COUNTS = ['images', 'annotated', 'skipped', 'selected', 'selectedBy', 'rejected'] as const;
type Counts = Pick<Summary, (typeof COUNTS)[number]>;

/** What others wrote into the topic `images`, which is counted too. */
export interface Foreign {
  /** Ids that no image of the source has, by the reason for which they are skipped. */
  readonly skipped?: Readonly<Record<string, number>>;
  /** Whether images are delivered more than once, so that what comes of them is there more than once too. */
  readonly repeats?: boolean;
}

/**
 * Holds a run that has ended against the undisturbed one: counts, every sample in each topic, once on the cluster, the training set, the
 * levelled checkpoint, the accuracies.
 */
export async function audit(
  { paths, streams: onCluster }: { readonly paths: RunPaths; readonly streams: Streams },
  summary: Summary,
  undisturbed: Undisturbed,
  { skipped: foreign = {}, repeats = false }: Foreign = {},
): Promise<Pick<Observation, 'lost' | 'duplicated' | 'problems'>> {
  const problems: string[] = [];
  const expected = withForeign(undisturbed.summary, foreign);
  for (const count of COUNTS) {
    if (isDeepStrictEqual(summary[count], expected[count])) continue;
    problems.push(`${count} is ${JSON.stringify(summary[count])}, not ${JSON.stringify(expected[count])}`);
  }
  if (!isDeepStrictEqual(summary.eval, undisturbed.summary.eval)) problems.push('accuracies differ');
  if (digestOf(join(paths.checkpoints, 'student')) !== undisturbed.checkpoint) problems.push('the checkpoint differs');
  for (const topic of repeats ? [] : (['images', 'annotations', 'decisions'] as const)) {
    const twice = await repeatedIds(onCluster, topic);
    if (twice.size > 0) problems.push(`${twice.size} ids are on ${topic} more than once, such as ${[...twice][0]}`);
  }
  const streams = openEmbeddedStreams(paths.streams);
  try {
    const [annotated, selected] = [await idsOf(streams, 'annotations'), await selectedIds(streams)];
    const { samples, unreadable } = trainingOf(paths);
    const trained = samples + unreadable;
    const missing = Math.max(0, undisturbed.summary.images - annotated.size);
    return {
      lost: missing + Math.max(0, selected.size - trained),
      duplicated: Math.max(0, trained - selected.size),
      problems,
    };
  } finally {
    await streams.close();
  }
}

function withForeign(counts: Counts, foreign: Readonly<Record<string, number>>): Counts {
  const skipped: Record<string, number> = { ...counts.skipped };
  let images = counts.images;
  for (const [reason, n] of Object.entries(foreign)) {
    skipped[reason] = (skipped[reason] ?? 0) + n;
    images += n;
  }
  return { ...counts, images, skipped };
}

async function idsOf(streams: Streams, topic: keyof typeof topics): Promise<ReadonlySet<string>> {
  const ids = new Set<string>();
  for await (const { record } of topics[topic].read(streams)) ids.add(record.id);
  return ids;
}

async function repeatedIds(streams: Streams, topic: keyof typeof topics): Promise<ReadonlySet<string>> {
  const [ids, twice] = [new Set<string>(), new Set<string>()];
  for await (const { record } of topics[topic].read(streams)) (ids.has(record.id) ? twice : ids).add(record.id);
  return twice;
}

async function selectedIds(streams: Streams): Promise<ReadonlySet<string>> {
  const ids = new Set<string>();
  for await (const { message } of topics.decisions.read(streams)) {
    if (message.status === DecisionStatus.SELECTED) ids.add(message.sampleId);
  }
  return ids;
}

/** What the trainer said that it trained on. */
function trainingOf({ state }: RunPaths): { readonly samples: number; readonly unreadable: number } {
  const { training } = JSON.parse(readFileSync(state, 'utf8')) as {
    training: { readonly samples: number; readonly unreadable: number };
  };
  return training;
}
