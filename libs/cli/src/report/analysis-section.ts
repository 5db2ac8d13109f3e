import type { Analysis, Histogram } from '../analysis/analyze-decisions.js';
import { measures } from '../analysis/analyze-decisions.js';
import type { Levelling, Remeasured } from '../analysis/measure-again.js';
import { attentionMaps } from './attention-maps.js';
import { html, type Html } from './html.js';

/** What the report says about where the models differ; the levelling only once `mpa analyze` measured it. */
export interface AnalysisResult {
  readonly analysis: Analysis;
  readonly levelling?: Levelling | undefined;
  readonly measured: readonly Remeasured[];
}

/** Kinds of questions listed. */
const LISTED = 20;

/** The report's section about where the models differ. */
export async function analysisSection({ analysis, levelling, measured }: AnalysisResult): Promise<Html> {
  const { histograms, kinds, partsAt } = analysis;
  const maps = await attentionMaps(measured);
  const shown = measures.flatMap((measure) => (histograms[measure] ? [[measure, histograms[measure]] as const] : []));
  return html`<h2>Where the models differ</h2>
    ${shown.length > 0 ? html`<div class="sides">${shown.map(([measure, found]) => histogram(measure, found))}</div>` : html`<p>The annotations hold no signals to compare.</p>`}
    ${parting(partsAt)} ${levelling ? levelled(levelling) : ''}
    <div class="scroll">
      <table>
        <caption>
          Questions by how they begin, and how many of them showed the gap.
        </caption>
        <thead>
          <tr>
            <th scope="col">Question</th>
            <th scope="col">Task</th>
            <th scope="col">Asked</th>
            <th scope="col">Show the gap</th>
          </tr>
        </thead>
        <tbody>
          ${kinds.slice(0, LISTED).map(
            ({ task, kind, asked, gap }) =>
              html`<tr>
                <th scope="row">${kind} …</th>
                <td>${task}</td>
                <td>${asked}</td>
                <td>${percent(gap, asked)}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
    ${
      maps.length > 0
        ? html`<h3>Where they look while they answer</h3>
            <ul class="looks">
              ${maps}
            </ul>`
        : ''
    }`;
}

function histogram(measure: string, { counts, mean, samples }: Histogram): Html {
  const most = Math.max(...counts);
  const label = `${measure}: mean ${mean.toFixed(3)} over ${samples} samples`;
  return html`<figure>
    <svg viewBox="0 0 200 110" role="img" aria-label="${label}">
      ${counts.map((n, i) => {
        const height = (80 * n) / most;
        return html`<rect class="bar" x="${i * 20 + 1}" y="${85 - height}" width="18" height="${height}" />`;
      })}
      <text x="0" y="102">0</text>
      <text x="200" y="102" text-anchor="end">1</text>
    </svg>
    <figcaption class="lead">${label}</figcaption>
  </figure>`;
}

function parting(partsAt: Analysis['partsAt']): Html | string {
  const steps = Object.entries(partsAt);
  if (steps.length === 0) return '';
  const all = steps.reduce((sum, [, n]) => sum + n, 0);
  const words = steps.map(([step, n]) => `${step === 'never' ? step : `step ${step}`} ${percent(n, all)}`);
  return html`<p>The S-VLM parts from the L-VLM's rationale at: ${words.join(', ')}.</p>`;
}

function levelled({ samples, nowRight, means }: Levelling): Html {
  return html`<table>
    <caption>
      ${samples} samples that showed the gap, before and after levelling: the S-VLM now answers
      ${percent(nowRight, samples)} of them as the L-VLM does.
    </caption>
    <thead>
      <tr>
        <th scope="col">Mean discrepancy</th>
        <th scope="col">Before</th>
        <th scope="col">After</th>
      </tr>
    </thead>
    <tbody>
      ${Object.entries(means).map(
        ([measure, { before, after }]) =>
          html`<tr>
            <th scope="row">${measure}</th>
            <td>${before.toFixed(3)}</td>
            <td>${after.toFixed(3)}</td>
          </tr>`,
      )}
    </tbody>
  </table>`;
}

const percent = (part: number, all: number): string => `${all === 0 ? 0 : Math.round((100 * part) / all)} %`;
