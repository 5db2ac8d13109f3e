import type { ComponentChildren, VNode } from 'preact';
import type { Analysis, Histogram } from '../analysis/analysis.js';
import type { Levelling } from '../analysis/levelling.js';
import { measures } from '../analysis/measures.js';
import { wholePercent } from './format.js';

/** Kinds of questions listed. */
const LISTED = 20;

interface AnalysisSectionProps {
  readonly analysis: Analysis;
  /** Once `mpa analyze` measured it. */
  readonly levelling?: Levelling | undefined;
  /** What comes after the tables. */
  readonly children?: ComponentChildren;
}

/** Where the models differ. */
export function AnalysisSection({ analysis, levelling, children }: AnalysisSectionProps): VNode {
  const { histograms, kinds, partsAt } = analysis;
  const shown = measures.flatMap((measure) => (histograms[measure] ? [[measure, histograms[measure]] as const] : []));
  return (
    <section aria-labelledby="differ">
      <h2 id="differ">Where the models differ</h2>
      {shown.length > 0 ? (
        <div class="sides">
          {shown.map(([measure, found]) => (
            <Bars key={measure} measure={measure} histogram={found} />
          ))}
        </div>
      ) : (
        <p>The annotations hold no signals to compare.</p>
      )}
      <Parting partsAt={partsAt} />
      {levelling && <Levelled levelling={levelling} />}
      <div class="scroll" tabIndex={0} role="region" aria-label="Kinds of questions">
        <table>
          <caption>Questions by how they begin, and how many of them showed the gap.</caption>
          <thead>
            <tr>
              <th scope="col">Question</th>
              <th scope="col">Task</th>
              <th scope="col">Asked</th>
              <th scope="col">Show the gap</th>
            </tr>
          </thead>
          <tbody>
            {kinds.slice(0, LISTED).map(({ task, kind, asked, gap }) => (
              <tr key={`${task} ${kind}`}>
                <th scope="row">{kind} …</th>
                <td>{task}</td>
                <td>{asked}</td>
                <td>{wholePercent(gap, asked)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {children}
    </section>
  );
}

function Bars({ measure, histogram }: { readonly measure: string; readonly histogram: Histogram }): VNode {
  const { counts, mean, samples } = histogram;
  const most = Math.max(...counts);
  const caption = `${measure}: mean ${mean.toFixed(3)} over ${samples} samples`;
  const tenths = counts.map((n, i) => `${n} from ${i / 10} to ${(i + 1) / 10}`).join(', ');
  return (
    <figure class="bars">
      <svg viewBox="0 0 200 110" role="img" aria-label={`${caption}: ${tenths}`}>
        {counts.map((n, i) => (
          <rect key={i} class="bar" x={i * 20 + 1} y={85 - (80 * n) / most} width="18" height={(80 * n) / most} />
        ))}
        <text x="0" y="102">
          0
        </text>
        <text x="200" y="102" text-anchor="end">
          1
        </text>
      </svg>
      <figcaption class="lead">{caption}</figcaption>
    </figure>
  );
}

function Parting({ partsAt }: Pick<Analysis, 'partsAt'>): VNode | null {
  const steps = Object.entries(partsAt);
  if (steps.length === 0) return null;
  const all = steps.reduce((sum, [, n]) => sum + n, 0);
  const named = steps.map(([step, n]) => `${step === 'never' ? step : `step ${step}`} ${wholePercent(n, all)}`);
  return <p>The S-VLM parts from the L-VLM's rationale at: {named.join(', ')}.</p>;
}

function Levelled({ levelling: { samples, nowRight, means } }: { readonly levelling: Levelling }): VNode {
  return (
    <table>
      <caption>
        {samples} samples that showed the gap, before and after levelling: the S-VLM now answers{' '}
        {wholePercent(nowRight, samples)} of them as the L-VLM does.
      </caption>
      <thead>
        <tr>
          <th scope="col">Mean discrepancy</th>
          <th scope="col">Before</th>
          <th scope="col">After</th>
        </tr>
      </thead>
      <tbody>
        {Object.entries(means).map(([measure, { before, after }]) => (
          <tr key={measure}>
            <th scope="row">{measure}</th>
            <td>{before.toFixed(3)}</td>
            <td>{after.toFixed(3)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
