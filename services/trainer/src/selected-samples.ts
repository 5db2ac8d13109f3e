import { createHash } from 'node:crypto';
import { meanDiscrepancy, sampleWeights } from '@mpa/alignment';
import { DecisionStatus, SignalsSchema, toJson } from '@mpa/contracts';
import type { Decision, Signals } from '@mpa/contracts';
import { topics } from '@mpa/service-kit';
import { StorageError, type ImageStore } from '@mpa/storage';
import { IdTable, type Streams } from '@mpa/streams';
import { tracedContext, type TraceContext } from '@mpa/telemetry';
import { packTurns } from '@mpa/tensorflow';
import { ImageError, withDecodedImage } from '@mpa/vlm';
import type { Processor } from '@mpa/vlm';
import type { AlignedSample } from './aligned-sample.js';
import { aimedTurns } from './aims-of.js';
import type { Coefficients } from './alignment-loss.js';
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
  readonly unreadable: readonly { readonly decision: Decision; readonly error: UnreadableImage }[];
  /** Of the questions in the source, how many came with each signal that the loss asks for. */
  readonly signals: Readonly<Record<'confidence' | 'attention' | 'reasoning', number>>;
}

/** Why an image cannot be learnt from. */
export type UnreadableImage = ImageError | StorageError;

/** How the samples are prepared. */
export interface SelectedSamplesOptions {
  readonly images: ImageStore;
  /** Memory for decoded images; those beyond it are decoded anew each time. */
  readonly cacheBytes: number;
  readonly coefficients: Coefficients;
  /** A sample weighs `1 + discrepancyWeight * mean discrepancy`, scaled to a mean of 1. */
  readonly discrepancyWeight: number;
  readonly signal?: AbortSignal | undefined;
}

/** What was selected. */
export interface SelectedDecisions {
  /** By sample id: in the same order however the stages before were scheduled. */
  readonly decisions: readonly Decision[];
  /** Of those samples that are followed, where their traces go on. */
  readonly traces: readonly TraceContext[];
  /** Decisions beyond `maxSamples`, left out. */
  readonly surplus: number;
}

/**
 * Reads the selected decisions of a run. Of a sample that was decided about more than once the first decision counts; of more than `maxSamples` the first by id are taken, a draw at random since ids are digests; memory holds
 * twice as many at most.
 */
export async function readSelected(
  streams: Streams,
  runId: string,
  { maxSamples = Infinity, signal }: { readonly maxSamples?: number | undefined; readonly signal?: AbortSignal } = {},
): Promise<SelectedDecisions> {
  const decided = new IdTable();
  let selected: { readonly decision: Decision; readonly trace: TraceContext | undefined }[] = [];
  let surplus = 0;
  const takeFirst = (): void => {
    const sorted = selected.sort((a, b) => (a.decision.sampleId < b.decision.sampleId ? -1 : 1));
    selected = sorted.slice(0, maxSamples);
    surplus += sorted.length - selected.length;
  };
  for await (const { record, message: decision } of topics.decisions.read(streams, signal ? { signal } : {})) {
    if (decision.runId !== runId || decided.has(decision.sampleId)) continue;
    decided.add(decision.sampleId);
    if (decision.status !== DecisionStatus.SELECTED) continue;
    if (!(decision.weight > 0) || decision.image === undefined) {
      const where = `decision ${decision.sampleId} of run ${runId}`;
      throw new TrainerError('bad-sample', `${where} is selected but has no image or no positive weight`);
    }
    selected.push({ decision, trace: tracedContext(record.headers) });
    if (selected.length >= 2 * maxSamples) takeFirst();
  }
  takeFirst();
  const decisions = selected.map(({ decision }) => decision);
  checkGrids(decisions);
  return { decisions, traces: selected.flatMap(({ trace }) => trace ?? []), surplus };
}

/** Attention maps are compared cell by cell. */
function checkGrids(decisions: readonly Decision[]): void {
  const grids = new Set<number>();
  for (const { sampleId, signals } of decisions) {
    if (!signals?.attention) continue;
    const { grid, cells } = signals.attention;
    grids.add(grid);
    if (grids.size > 1 || cells.length !== grid ** 2) {
      const others = [...grids].slice(0, -1).map((other) => `, others ${other}`);
      throw new TrainerError(
        'bad-sample',
        `the attention map of decision ${sampleId} has ${cells.length} cells and a grid of ${grid}${others.join('')}: annotate all images with one grid`,
      );
    }
  }
}

/**
 * Decodes every image once, to find those that cannot be read and to lay out the prompts. Questions on one image with the
 * same weight become one sample.
 */
export async function selectedSamples(
  decisions: readonly Decision[],
  processor: Processor,
  options: SelectedSamplesOptions,
): Promise<SelectedSamples> {
  const { cacheBytes, discrepancyWeight, signal } = options;
  const readable: (readonly Decision[])[] = [];
  const samples: (AlignedSample | undefined)[] = [];
  const unreadable: { decision: Decision; error: UnreadableImage }[] = [];
  let room = cacheBytes;
  const groups = groupByImage(weighted(decisions, discrepancyWeight));
  for (let from = 0; from < groups.length; from += DECODED_AT_ONCE) {
    signal?.throwIfAborted();
    const chunk = groups.slice(from, from + DECODED_AT_ONCE);
    const prepared = await Promise.all(chunk.map((group) => prepareUnlessBroken(group, processor, options)));
    chunk.forEach((group, i) => {
      const sample = prepared[i]!;
      if (sample instanceof Error) {
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
    load: async (index) => samples[index] ?? prepare(readable[index]!, processor, options),
  };
  const questions = readable.flat();
  const having = (has: (signals: Signals) => unknown): number =>
    questions.filter(({ signals }) => signals && has(signals)).length;
  return {
    source,
    questions: questions.length,
    unreadable,
    signals: {
      confidence: having(({ nBest }) => nBest.length > 0),
      attention: having(({ attention }) => attention),
      reasoning: having(({ rationale }) => rationale.length > 0),
    },
  };
}

/** The decisions with their weights in the loss. */
function weighted(decisions: readonly Decision[], alpha: number): Decision[] {
  if (alpha === 0) return [...decisions];
  const means = decisions.map(({ discrepancies }) =>
    discrepancies ? meanDiscrepancy({ ...discrepancies, answer: discrepancies.answer === 0 ? 0 : 1 }) : 1,
  );
  const weights = sampleWeights(means, alpha);
  return decisions.map((decision, i) => ({ ...decision, weight: decision.weight * weights[i]! }));
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
  options: SelectedSamplesOptions,
): Promise<AlignedSample | UnreadableImage> {
  try {
    return await prepare(group, processor, options);
  } catch (error) {
    if (error instanceof ImageError || (error instanceof StorageError && !error.retriable)) return error;
    throw error;
  }
}

async function prepare(
  group: readonly Decision[],
  processor: Processor,
  { images, coefficients, signal }: SelectedSamplesOptions,
): Promise<AlignedSample> {
  const [{ image: reference, weight }] = group as [Decision];
  const bytes = await images.read(reference!.uri, { signal });
  const image = await withDecodedImage(bytes, (decoded) => processor.image(decoded));
  const turns = aimedTurns(group, image, processor, coefficients);
  return { ...packTurns(turns, [image], weight), aims: turns.map(({ aim }) => aim) };
}

/** SHA-256 of the groups as one JSON array, which is never in memory as a whole: a string has at most 2^29 characters. */
function fingerprintOf(groups: readonly (readonly Decision[])[]): string {
  const told = (signals: Signals | undefined): unknown => signals && toJson(SignalsSchema, signals);
  const hash = createHash('sha256');
  for (const [i, group] of groups.entries()) {
    const fields = group.map((d) => [d.sampleId, d.question, d.answer, d.weight, told(d.signals), told(d.studentSignals)]); // prettier-ignore
    hash.update(`${i === 0 ? '[' : ','}${JSON.stringify(fields)}`);
  }
  return hash.update(groups.length === 0 ? '[]' : ']').digest('hex');
}
