import type { ComponentChildren, VNode } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { SampleDetail } from '../src/api.js';
import { measures } from '../src/analysis/measures.js';
import { AttentionMap } from '../src/components/attention-map.js';
import { words } from '../src/components/format.js';
import { runPath } from './fetch-json.js';
import { Notice } from './notice.js';
import { useJson } from './use-json.js';

interface SamplePanelProps {
  readonly run: string;
  readonly id: string;
  /** The address of the list without the panel. */
  readonly close: string;
}

/** All that is known of a sample. It takes the focus when it opens. */
export function SamplePanel({ run, id, close }: SamplePanelProps): VNode {
  const asked = useJson<SampleDetail>(runPath(run, 'samples', id));
  const heading = useRef<HTMLHeadingElement>(null);
  const sample = asked.value?.id === id ? asked.value : undefined;
  useEffect(() => heading.current?.focus(), [sample?.id]);
  return (
    <section class="panel" aria-labelledby="sample">
      <p>
        <a href={close}>Back to the list</a>
      </p>
      {sample ? (
        <>
          <h2 id="sample" ref={heading} tabIndex={-1}>
            {sample.question || '(no question)'}
          </h2>
          <Detail run={run} sample={sample} />
        </>
      ) : (
        <>
          <h2 id="sample">Sample</h2>
          <Notice asked={asked} waiting="Reading the sample …" />
        </>
      )}
    </section>
  );
}

function Detail({ run, sample }: { readonly run: string; readonly sample: SampleDetail }): VNode {
  const { task, outcome, reason, detail, answer, studentAnswer, selfCheck, discrepancies, imageName } = sample;
  const apart = measures.filter((measure) => discrepancies[measure] !== undefined);
  return (
    <>
      <Picture key={sample.id} image={runPath(run, 'samples', sample.id, 'large')} sample={sample} />
      <dl class="facts">
        <dt>L-VLM</dt>
        <dd>{answer || '(nothing)'}</dd>
        <dt>asked afresh</dt>
        <dd>{selfCheck || '(nothing)'}</dd>
        <dt>S-VLM</dt>
        <dd>{studentAnswer || '(nothing)'}</dd>
        <dt>decision</dt>
        <dd>
          {outcome}
          {reason && `: ${words(reason)}`}
          {detail && ` (${detail})`}
        </dd>
        <dt>task</dt>
        <dd>{task}</dd>
        <dt>image</dt>
        <dd>{imageName}</dd>
      </dl>
      {apart.length > 0 && (
        <>
          <h3>Discrepancies</h3>
          <dl class="facts">
            {apart.map((measure) => (
              <>
                <dt>{measure}</dt>
                <dd>
                  <meter min={0} max={1} value={discrepancies[measure]} aria-label={measure} />{' '}
                  {discrepancies[measure]?.toFixed(3)}
                </dd>
              </>
            ))}
          </dl>
        </>
      )}
      <Rationale {...sample} />
      <OtherAnswers {...sample} />
    </>
  );
}

const VIEWS = { none: 'image alone', teacher: 'L-VLM', student: 'S-VLM' } as const;
type View = keyof typeof VIEWS;

/** The image, and where either model looks on it. */
function Picture({ image, sample }: { readonly image: string; readonly sample: SampleDetail }): VNode {
  const [view, setView] = useState<View>('none');
  const [gone, setGone] = useState(false);
  const { attention, imageName } = sample;
  if (gone) return <p class="gone">{imageName} is no longer readable</p>;
  const map = view === 'none' ? undefined : attention[view];
  const views = (Object.keys(VIEWS) as View[]).filter((name) => name === 'none' || attention[name]);
  return (
    <>
      <div class="picture">
        <img src={image} alt={`${imageName}, which the question is about`} onError={() => setGone(true)} />
        {map && (
          <AttentionMap image={undefined} map={map} label={`Where the ${VIEWS[view]} looks: bright where it does`} />
        )}
      </div>
      {views.length > 1 && (
        <fieldset class="views">
          <legend>Attention</legend>
          {views.map((name) => (
            <label key={name}>
              <input type="radio" name="view" checked={view === name} onChange={() => setView(name)} /> {VIEWS[name]}
            </label>
          ))}
        </fieldset>
      )}
    </>
  );
}

function Rationale({ rationale, partsAt }: Pick<SampleDetail, 'rationale' | 'partsAt'>): VNode | null {
  if (rationale.length === 0) return null;
  const rows = rationale.map((step, i) => ({
    ...step,
    note: i === partsAt && <strong> (here the S-VLM parts)</strong>,
  }));
  return (
    <>
      <h3>How the L-VLM comes to its answer</h3>
      <div class="scroll" tabIndex={0} role="region" aria-label="Steps of the rationale">
        <InEitherModel
          of="Step"
          caption="Log-probability per character of each step, in either model."
          rows={rows}
          digits={2}
        />
      </div>
    </>
  );
}

function OtherAnswers({ nBest }: Pick<SampleDetail, 'nBest'>): VNode | null {
  if (nBest.length === 0) return null;
  return (
    <>
      <h3>What else the L-VLM might have said</h3>
      <InEitherModel of="Answer" caption="Probability among these answers, in either model." rows={nBest} digits={3} />
    </>
  );
}

interface InEitherModelProps {
  /** What a row is. */
  readonly of: string;
  readonly caption: string;
  readonly rows: readonly {
    readonly text: string;
    readonly teacher: number;
    readonly student: number | null;
    readonly note?: ComponentChildren;
  }[];
  readonly digits: number;
}

/** Texts, and a number of each under the L-VLM and under the S-VLM. */
function InEitherModel({ of, caption, rows, digits }: InEitherModelProps): VNode {
  return (
    <table>
      <caption>{caption}</caption>
      <thead>
        <tr>
          <th scope="col">{of}</th>
          <th scope="col">L-VLM</th>
          <th scope="col">S-VLM</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ text, teacher, student, note }, i) => (
          <tr key={i}>
            <th scope="row" class="prose">
              {text}
              {note}
            </th>
            <td>{teacher.toFixed(digits)}</td>
            <td>{student?.toFixed(digits)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
