import type { AttentionMap } from '@mpa/contracts';
import type { Remeasured } from '../analysis/measure-again.js';
import { html, type Html } from './html.js';
import { thumbnailUri } from './thumbnail.js';

/** Samples shown. */
const SHOWN = 8;

/** The samples whose attention differed most: where the L-VLM looked, and the S-VLM before and after levelling. */
export async function attentionMaps(measured: readonly Remeasured[]): Promise<Html[]> {
  const attention = ({ before }: Remeasured): number => before.discrepancies?.attention ?? -1;
  const shown = measured
    .filter(({ before }) => before.signals?.attention && before.studentSignals?.attention)
    .toSorted((a, b) => attention(b) - attention(a))
    .slice(0, SHOWN);
  return Promise.all(shown.map(card));
}

async function card({ before, after }: Remeasured): Promise<Html> {
  const image = await thumbnailUri(before.image?.uri ?? '');
  const maps: [string, string, AttentionMap | undefined, string][] = [
    ['L-VLM', before.answer, before.signals?.attention, ''],
    ['S-VLM before', before.studentAnswer, before.studentSignals?.attention, apart(before.discrepancies?.attention)],
    ['S-VLM after', after.studentAnswer, after.studentSignals?.attention, apart(after.discrepancies?.attention)],
  ];
  return html`<li>
    <p class="question">${before.question}</p>
    <div class="maps">
      ${maps.map(
        ([who, answer, map, note]) =>
          html`<figure>
            ${overlay(image, map)}
            <figcaption>${who}: ${answer || '(nothing)'}${note}</figcaption>
          </figure>`,
      )}
    </div>
  </li>`;
}

const apart = (discrepancy: number | undefined): string =>
  discrepancy === undefined ? '' : `, ${discrepancy.toFixed(2)} apart`;

/** The image darkened where the model does not look: each cell as dark as it is below the brightest. */
function overlay(image: string | undefined, map: AttentionMap | undefined): Html {
  const { grid, cells } = map ?? { grid: 1, cells: [1] };
  const most = Math.max(...cells);
  return html`<svg
    viewBox="0 0 ${grid} ${grid}"
    preserveAspectRatio="none"
    shape-rendering="crispEdges"
    role="img"
    aria-label="attention map"
  >
    ${image === undefined ? '' : html`<image href="${image}" width="${grid}" height="${grid}" preserveAspectRatio="none" />`}
    ${cells.map((cell, i) => {
      const opacity = (0.8 * (1 - cell / most)).toFixed(2);
      return html`<rect
        x="${i % grid}"
        y="${Math.floor(i / grid)}"
        width="1.01"
        height="1.01"
        fill-opacity="${opacity}"
      />`;
    })}
  </svg>`;
}
