import { wantedSignals, type AnnotatorConfig } from '@mpa/annotator';
import { addUsage, costOf, NO_USAGE, usageOf } from '@mpa/inference';
import { topics } from '@mpa/service-kit';
import type { Streams } from '@mpa/streams';
import type { Listing } from './listing.js';
import { usageWords, type Prices } from './teacher-usage.js';

/** Images after which tokens are estimated. */
const FIRST_IMAGES = 20;

/** Most images that tokens are estimated from: those of a run that goes on may be many. */
const MOST_IMAGES = 10_000;

/** Requests that annotating images with an endpoint takes: at least, and at most unless some have to be repeated; in words. */
export function requestEstimate(
  images: number,
  { candidates, signals }: Pick<AnnotatorConfig, 'candidates' | 'signals'>,
): string {
  const wanted = wantedSignals(signals);
  const nBest = signals.nBest === false ? 0 : signals.nBest.answers;
  const rationale = wanted.includes('rationale') ? 1 : 0;
  const [least, most] = [2 + Math.min(1, nBest) + rationale, 1 + candidates + nBest + rationale];
  const requests = least === most ? images * least : `${images * least} to ${images * most}`;
  return `estimate: ${requests} requests to the teacher for ${images} images; tokens are estimated after ${FIRST_IMAGES} images`;
}

/** Tells once, after the first images and when all are listed, how many tokens all of them will take. */
export class TokenEstimate {
  #told = false;

  constructor(
    private readonly streams: Streams,
    private readonly listing: Pick<Listing, 'count' | 'isComplete'>,
    private readonly prices: Prices,
  ) {}

  /** The estimate in words, the first time that enough images are annotated. */
  async after(annotated: number): Promise<string | undefined> {
    if (this.#told || annotated < FIRST_IMAGES || !this.listing.isComplete || annotated >= this.listing.count) {
      return undefined;
    }
    this.#told = true;
    const done = new Set<string>();
    for await (const { key } of this.streams.readAll(topics.annotations.name)) {
      done.add(key);
      if (done.size === MOST_IMAGES) break;
    }
    let used = NO_USAGE;
    for await (const { record, message } of topics.replies.read(this.streams)) {
      if (done.has(record.key)) used = addUsage(used, usageOf(message));
    }
    const all = (value: number): number => Math.round((value / done.size) * this.listing.count);
    const expected = {
      ...{ requests: all(used.requests), retries: 0, images: all(used.images) },
      ...{ inputTokens: all(used.inputTokens), outputTokens: all(used.outputTokens) },
    };
    return `estimate after ${done.size} images: in all ${usageWords({ ...expected, cost: this.prices ? costOf(expected, this.prices) : null })}`;
  }
}
