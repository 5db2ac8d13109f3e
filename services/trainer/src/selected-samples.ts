import { createHash } from 'node:crypto';
import { DecisionStatus } from '@mpa/contracts';
import type { Decision } from '@mpa/contracts';
import { answerPrompt } from '@mpa/prompts';
import { topics } from '@mpa/service-kit';
import { localPath } from '@mpa/storage';
import type { Streams } from '@mpa/streams';
import { packTurns } from '@mpa/tensorflow';
import type { TrainingSample } from '@mpa/tensorflow';
import { decodeImage, ImageError } from '@mpa/vlm';
import type { Processor } from '@mpa/vlm';
import { bytesOf } from './encoded-source.js';
import { TrainerError } from './trainer-error.js';
import type { TrainingSource } from './training-source.js';

/** Images decoded at once. */
const DECODED_AT_ONCE = 8;

/** What a run selected, ready to learn from. */
export interface SelectedSamples {
  /** One sample per image: its questions are packed, so that they share the image's cost. */
  readonly source: TrainingSource;
  /** Questions in the source. */
  readonly questions: number;
  /** Questions left out because their image cannot be read any more, with the reason. */
  readonly unreadable: readonly { readonly decision: Decision; readonly error: ImageError }[];
}

/** How the samples are prepared. */
export interface SelectedSamplesOptions {
  /** Memory for decoded images; those beyond it are decoded anew each time. */
  readonly cacheBytes: number;
  readonly signal?: AbortSignal | undefined;
}

/** The selected decisions of a run, by sample id: in the same order however the stages before were scheduled. */
export async function readSelected(streams: Streams, runId: string, signal?: AbortSignal): Promise<Decision[]> {
  const selected: Decision[] = [];
  for await (const record of streams.readAll(topics.decisions.name, signal ? { signal } : {})) {
    const decision = topics.decisions.decode(record);
    if (decision.runId !== runId || decision.status !== DecisionStatus.SELECTED) continue;
    if (!(decision.weight > 0) || decision.image === undefined) {
      const where = `decision ${decision.sampleId} of run ${runId}`;
      throw new TrainerError('bad-sample', `${where} is selected but has no image or no positive weight`);
    }
    selected.push(decision);
  }
  return selected.sort((a, b) => (a.sampleId < b.sampleId ? -1 : 1));
}

/**
 * Decodes every image once, to find those that cannot be read and to lay out the prompts. Questions on one image with the
 * same weight become one sample.
 */
export async function selectedSamples(
  decisions: readonly Decision[],
  processor: Processor,
  { cacheBytes, signal }: SelectedSamplesOptions,
): Promise<SelectedSamples> {
  const readable: (readonly Decision[])[] = [];
  const samples: (TrainingSample | undefined)[] = [];
  const unreadable: { decision: Decision; error: ImageError }[] = [];
  let room = cacheBytes;
  const groups = groupByImage(decisions);
  for (let from = 0; from < groups.length; from += DECODED_AT_ONCE) {
    signal?.throwIfAborted();
    const chunk = groups.slice(from, from + DECODED_AT_ONCE);
    const prepared = await Promise.all(chunk.map((group) => prepareUnlessBroken(group, processor)));
    chunk.forEach((group, i) => {
      const sample = prepared[i]!;
      if (sample instanceof ImageError) {
        unreadable.push(...group.map((decision) => ({ decision, error: sample })));
        return;
      }
      readable.push(group);
      room -= bytesOf(sample);
      samples.push(room >= 0 ? sample : undefined);
    });
  }
  const source: TrainingSource = {
    size: readable.length,
    fingerprint: fingerprintOf(readable),
    load: async (index) => samples[index] ?? prepare(readable[index]!, processor),
  };
  return { source, questions: readable.reduce((sum, group) => sum + group.length, 0), unreadable };
}

function groupByImage(decisions: readonly Decision[]): Decision[][] {
  const groups = new Map<string, Decision[]>();
  for (const decision of decisions) {
    const key = `${decision.weight} ${decision.image!.uri}`;
    const group = groups.get(key);
    if (group) group.push(decision);
    else groups.set(key, [decision]);
  }
  return [...groups.values()];
}

async function prepareUnlessBroken(
  group: readonly Decision[],
  processor: Processor,
): Promise<TrainingSample | ImageError> {
  try {
    return await prepare(group, processor);
  } catch (error) {
    if (error instanceof ImageError) return error;
    throw error;
  }
}

async function prepare(group: readonly Decision[], processor: Processor): Promise<TrainingSample> {
  const [{ image: reference, weight }] = group as [Decision];
  const image = processor.image(await decodeImage(localPath(reference!.uri)));
  const turns = group.map(({ question, answer }) => ({
    prompt: processor.prompt(
      [{ role: 'user', content: [{ type: 'image' }, { type: 'text', text: answerPrompt(question) }] }],
      [image],
    ),
    answer: processor.answer(answer),
  }));
  return packTurns(turns, [image], weight);
}

function fingerprintOf(groups: readonly (readonly Decision[])[]): string {
  const fields = groups.map((group) => group.map((d) => [d.sampleId, d.question, d.answer, d.weight]));
  return createHash('sha256').update(JSON.stringify(fields)).digest('hex');
}
