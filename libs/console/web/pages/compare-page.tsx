import type { VNode } from 'preact';
import { useLocation } from 'preact-iso';
import { useEffect, useState } from 'preact/hooks';
import type { RunView } from '../../src/api.js';
import { AccuracyPlot } from '../../src/components/accuracy-plot.js';
import { modelNames, models, type Estimate, type Model } from '../../src/components/estimate.js';
import { count, interval, percent, points } from '../../src/components/format.js';
import { LineChart } from '../../src/components/line-chart.js';
import { differences } from '../config-differences.js';
import { fetchJson, runPage, runPath } from '../fetch-json.js';
import { Notice } from '../notice.js';
import { PageTitle } from '../page-title.js';
import { RunsTable } from '../runs-table.js';
import type { Asked } from '../use-json.js';

/** Two or more runs side by side. */
export function ComparePage(): VNode {
  const { url } = useLocation();
  const names = new URLSearchParams(url.split('?')[1]).getAll('run');
  const asked = useRuns(names);
  return (
    <>
      <PageTitle title="Comparison" />
      {asked.value ? <Comparison runs={asked.value} /> : <Notice asked={asked} waiting="Reading the runs …" />}
    </>
  );
}

function useRuns(names: readonly string[]): Asked<readonly RunView[]> {
  const [asked, setAsked] = useState<Asked<readonly RunView[]>>({});
  const key = names.map((name) => runPath(name)).join(' ');
  useEffect(() => {
    const leaving = new AbortController();
    Promise.all(key.split(' ').map((path) => fetchJson<RunView>(path, leaving.signal))).then(
      (value) => setAsked({ value }),
      (error: unknown) => leaving.signal.aborted || setAsked({ error: String(error) }),
    );
    return () => leaving.abort();
  }, [key]);
  return asked;
}

function Comparison({ runs }: { readonly runs: readonly RunView[] }): VNode {
  const tasks = [...new Set(runs.flatMap(({ accuracy }) => Object.keys(accuracy)))];
  const losses = runs.flatMap(({ name, curve: [loss] }) => (loss ? [{ name, points: loss.points }] : []));
  const changed = differences(runs.map(({ config }) => config));
  return (
    <>
      <ul class="legend">
        {runs.map(({ name }) => (
          <li key={name}>
            <a href={runPage(name)}>{name}</a>
          </li>
        ))}
      </ul>
      <h2>Accuracy</h2>
      {tasks.length > 0 ? <Accuracies runs={runs} tasks={tasks} /> : <p>Nothing has been measured.</p>}
      <h2>Counts</h2>
      <RunsTable title="Images, samples and steps" runs={runs} rows={countRows(runs)} />
      <h2>Training</h2>
      {losses.some(({ points }) => points.length > 0) ? (
        <LineChart title="Training loss" lines={losses} />
      ) : (
        <p>No step has been trained.</p>
      )}
      <h2>Configuration</h2>
      {changed.length > 0 ? (
        <RunsTable title="Settings that differ" runs={runs} rows={changed} />
      ) : (
        <p>They were started with the same configuration.</p>
      )}
    </>
  );
}

interface AccuraciesProps {
  readonly runs: readonly RunView[];
  readonly tasks: readonly string[];
}

function Accuracies({ runs, tasks }: AccuraciesProps): VNode {
  const [model, setModel] = useState<Model>('after');
  const groups = tasks.map((task) => ({
    name: task,
    marks: runs.map(({ name, accuracy }) => ({ name, estimate: accuracy[task]?.[model] ?? null })),
  }));
  const rows = tasks.flatMap((task) => [
    ...models.map((each) => ({
      name: `${task}, ${modelNames[each]}`,
      values: runs.map(({ accuracy }) => said(accuracy[task]?.[each], percent)),
    })),
    { name: `${task}, change`, values: runs.map(({ accuracy }) => said(accuracy[task]?.change, points)) },
  ]);
  return (
    <>
      <p>
        <label>
          Plotted:{' '}
          <select value={model} onChange={({ currentTarget }) => setModel(currentTarget.value as Model)}>
            {models.map((each) => (
              <option key={each} value={each}>
                {modelNames[each]}
              </option>
            ))}
          </select>
        </label>
      </p>
      <AccuracyPlot title={`${modelNames[model]}: per cent, with 95 % bootstrap intervals`} groups={groups} />
      <RunsTable title="Accuracy in per cent, with 95 % bootstrap intervals" runs={runs} rows={rows} />
    </>
  );
}

function said(estimate: Estimate | null | undefined, format: (share: number) => string): string {
  return estimate ? `${format(estimate.mean)} (${interval(estimate, format)})` : '';
}

function countRows(runs: readonly RunView[]): { name: string; values: string[] }[] {
  const row = (name: string, of: (run: RunView) => number): { name: string; values: string[] } => ({
    name,
    values: runs.map((run) => count(of(run))),
  });
  const by = (word: string, counts: (run: RunView) => Readonly<Record<string, number>>): { name: string; values: string[] }[] =>
    [...new Set(runs.flatMap((run) => Object.keys(counts(run))))].sort().map((reason) => row(`${word}: ${reason}`, (run) => counts(run)[reason] ?? 0)); // prettier-ignore
  return [
    row('images', ({ counts }) => counts.images),
    row('annotated', ({ counts }) => counts.annotated),
    ...by('skipped', ({ counts }) => counts.skipped),
    row('selected', ({ counts }) => counts.selected),
    ...by('selected', ({ counts }) => counts.selectedBy),
    ...by('rejected', ({ counts }) => counts.rejected),
    row('training steps', ({ stages }) => stages.find(({ name }) => name === 'train')?.done ?? 0),
  ];
}
