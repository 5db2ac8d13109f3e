import type { VNode } from 'preact';
import { useLocation } from 'preact-iso';
import { useState } from 'preact/hooks';
import type { ListedRun, RunList } from '../../src/api.js';
import { count, percent } from '../../src/components/format.js';
import { runPage } from '../fetch-json.js';
import { Notice } from '../notice.js';
import { PageTitle } from '../page-title.js';
import { StatusMark } from '../status-mark.js';
import { useJson } from '../use-json.js';

/** Milliseconds between two looks at the folder. */
const LOOK_EVERY = 5000;
/** Runs that a comparison can tell apart by more than colour. */
const MOST = 6;

/** All runs of the folder; several of them can be compared. */
export function ListPage(): VNode {
  const asked = useJson<RunList>('/api/runs', LOOK_EVERY);
  return (
    <>
      <PageTitle title="Runs" />
      {asked.value ? <List {...asked.value} /> : <Notice asked={asked} waiting="Reading the folder …" />}
    </>
  );
}

function List({ folder, runs }: RunList): VNode {
  const { route } = useLocation();
  const [chosen, setChosen] = useState<readonly string[]>([]);
  if (runs.length === 0) return <p>There is no run in {folder}. `npm start` or `npx mpa align` makes one.</p>;
  const toggle = (name: string): void =>
    setChosen(chosen.includes(name) ? chosen.filter((other) => other !== name) : [...chosen, name]);
  const compare = (event: Event): void => {
    event.preventDefault();
    route(`/compare?${new URLSearchParams(chosen.map((name) => ['run', name]))}`);
  };
  return (
    <form onSubmit={compare}>
      <p class="lead">in {folder}</p>
      <ul class="runs" aria-label="Runs">
        {runs.map((run) => (
          <li key={run.name}>
            <Row run={run} chosen={chosen.includes(run.name)} onToggle={() => toggle(run.name)} />
          </li>
        ))}
      </ul>
      <p>
        <button type="submit" disabled={chosen.length < 2 || chosen.length > MOST}>
          Compare
        </button>{' '}
        <span class="lead" role="status">
          {`${chosen.length} chosen; two to ${MOST} can be compared.`}
        </span>
      </p>
    </form>
  );
}

interface RowProps {
  readonly run: ListedRun;
  readonly chosen: boolean;
  readonly onToggle: () => void;
}

function Row({ run: { name, status, problem, tasks, changed, summary }, chosen, onToggle }: RowProps): VNode {
  if (status === 'unreadable') {
    return (
      <>
        <span />
        <div>
          <strong>{name}</strong> <StatusMark status={status} />
          <p class="lead">{problem}</p>
        </div>
      </>
    );
  }
  return (
    <>
      <input type="checkbox" aria-label={`Compare ${name}`} checked={chosen} onChange={onToggle} />
      <div>
        <a href={runPage(name)}>{name}</a> <StatusMark status={status} />
        <p class="lead">
          {tasks.join(', ')}; last changed{' '}
          <time dateTime={new Date(changed).toISOString()}>{new Date(changed).toLocaleString()}</time>
        </p>
        {summary && <p>{outcome(summary)}</p>}
      </div>
    </>
  );
}

function outcome({ images, selected, before, after }: NonNullable<ListedRun['summary']>): string {
  const accuracy =
    before === null || after === null ? '' : `; mean accuracy ${percent(before)} % → ${percent(after)} %`;
  return `${count(images)} images, ${count(selected)} selected${accuracy}`;
}
