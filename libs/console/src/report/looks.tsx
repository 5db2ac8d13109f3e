import type { ImageStore } from '@mpa/storage';
import type { VNode } from 'preact';
import type { Remeasured } from '../analysis/levelling.js';
import { AttentionMap, type Attention } from '../components/attention-map.js';
import { thumbnailUri } from '../run/thumbnail.js';

/** Samples shown. */
const SHOWN = 8;

/** A sample measured twice, with its image as a data URI. */
export interface Look extends Remeasured {
  readonly image: string | undefined;
}

/** The samples whose attention differed most. */
export async function looks(measured: readonly Remeasured[], images: ImageStore): Promise<Look[]> {
  const attention = ({ before }: Remeasured): number => before.discrepancies?.attention ?? -1;
  const shown = measured
    .filter(({ before }) => before.signals?.attention && before.studentSignals?.attention)
    .toSorted((a, b) => attention(b) - attention(a))
    .slice(0, SHOWN);
  return Promise.all(
    shown.map(async (pair) => ({ ...pair, image: await thumbnailUri(images, pair.before.image?.uri ?? '') })),
  );
}

/** Where the L-VLM looked, and the S-VLM before and after levelling. */
export function Looks({ shown }: { readonly shown: readonly Look[] }): VNode | null {
  if (shown.length === 0) return null;
  return (
    <>
      <h3>Where they look while they answer</h3>
      <ul class="looks">
        {shown.map((look) => (
          <LookCard key={look.before.sampleId} {...look} />
        ))}
      </ul>
    </>
  );
}

function LookCard({ before, after, image }: Look): VNode {
  const maps: [string, string, Attention | undefined, string][] = [
    ['L-VLM', before.answer, before.signals?.attention, ''],
    ['S-VLM before', before.studentAnswer, before.studentSignals?.attention, apart(before.discrepancies?.attention)],
    ['S-VLM after', after.studentAnswer, after.studentSignals?.attention, apart(after.discrepancies?.attention)],
  ];
  return (
    <li>
      <p class="question">{before.question}</p>
      <div class="maps">
        {maps.map(([who, answer, map, note]) => (
          <figure key={who}>
            <AttentionMap image={image} map={map} label="attention map" />
            <figcaption>
              {who}: {answer || '(nothing)'}
              {note}
            </figcaption>
          </figure>
        ))}
      </div>
    </li>
  );
}

const apart = (discrepancy: number | undefined): string =>
  discrepancy === undefined ? '' : `, ${discrepancy.toFixed(2)} apart`;
