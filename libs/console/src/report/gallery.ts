import { taskName, type Decision } from '@mpa/contracts';
import type { ImageStore } from '@mpa/storage';
import type { Streams } from '@mpa/streams';
import { decisionsOf, showsGap } from '../analysis/analysis.js';
import type { CardSample } from '../components/sample-card.js';
import { thumbnailUri } from '../run/thumbnail.js';

/** Samples shown, over all tasks. */
const SHOWN = 24;

/** A sample of the gallery with its image as a data URI. */
export interface GallerySample {
  readonly sample: CardSample;
  readonly image: string | undefined;
  readonly imageName: string;
}

/** Samples that show the gap, as many of each task where there are enough. */
export async function gallery(streams: Streams, images: ImageStore): Promise<GallerySample[]> {
  const taken = new Map<string, Decision[]>();
  for await (const decision of decisionsOf(streams)) {
    if (!showsGap(decision)) continue;
    const task = taskName(decision.task);
    const mine = taken.get(task) ?? [];
    if (mine.length < SHOWN) taken.set(task, [...mine, decision]);
  }
  const share = Math.ceil(SHOWN / Math.max(1, taken.size));
  const shown = [...taken].flatMap(([task, decisions]) =>
    decisions.slice(0, share).map((decision) => ({ task, decision })),
  );
  return Promise.all(
    shown.map(async ({ task, decision: { question, answer, studentAnswer, image } }) => ({
      sample: { task, question, answer, studentAnswer },
      image: await thumbnailUri(images, image?.uri ?? ''),
      imageName: image?.path ?? '',
    })),
  );
}
