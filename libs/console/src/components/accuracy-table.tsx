import type { VNode } from 'preact';
import { models, type Estimate, type Model, type TaskAccuracy } from './estimate.js';
import { interval, percent, points } from './format.js';

/** Answers per second of each model; null where nothing was measured. */
export type Speed = { readonly [M in Model]: number | null };

interface AccuracyTableProps {
  readonly tasks: Readonly<Record<string, TaskAccuracy>>;
  readonly speed?: Speed | undefined;
}

/** Accuracies with their intervals, a row a task, their mean, and the models' speeds. */
export function AccuracyTable({ tasks, speed }: AccuracyTableProps): VNode {
  const rows = Object.entries(tasks);
  if (rows.length === 0) return <p>No labelled questions were given.</p>;
  const mean = meanAccuracy(tasks);
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Accuracy">
      <table class="accuracy">
        <caption>
          Per cent by each benchmark's own metric, with 95 % bootstrap intervals: the S-VLM before and after, the L-VLM,
          on n labelled questions that the levelling never saw.
        </caption>
        <thead>
          <tr>
            <th scope="col">Task</th>
            <th scope="col">Before</th>
            <th scope="col">After</th>
            <th scope="col">Change</th>
            <th scope="col">L-VLM</th>
            <th scope="col">n</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(([task, { before, after, change, teacher, n }]) => (
            <tr key={task}>
              <th scope="row">{task}</th>
              <Cell estimate={before} />
              <Cell estimate={after} />
              <Cell estimate={change} format={points} class={direction(change?.mean)} />
              <Cell estimate={teacher} />
              <td>{n}</td>
            </tr>
          ))}
        </tbody>
        <tfoot>
          {rows.length > 1 && (
            <tr>
              <th scope="row">Mean</th>
              <td>{percentOf(mean.before)}</td>
              <td>{percentOf(mean.after)}</td>
              <Change before={mean.before} after={mean.after} />
              <td>{percentOf(mean.teacher)}</td>
              <td />
            </tr>
          )}
          {speed && (
            <tr>
              <th scope="row">Answers / s</th>
              <td>{rate(speed.before)}</td>
              <td>{rate(speed.after)}</td>
              <td />
              <td>{rate(speed.teacher)}</td>
              <td />
            </tr>
          )}
        </tfoot>
      </table>
    </div>
  );
}

/** The unweighted mean of the tasks' accuracies; null where a task lacks one. */
export function meanAccuracy(tasks: Readonly<Record<string, TaskAccuracy>>): { readonly [M in Model]: number | null } {
  const all = Object.values(tasks);
  const mean = (model: Model): number | null => {
    const found = all.flatMap(({ [model]: estimate }) => (estimate ? [estimate.mean] : []));
    return all.length > 0 && found.length === all.length
      ? found.reduce((sum, one) => sum + one, 0) / found.length
      : null;
  };
  const [before, after, teacher] = models.map(mean);
  return { before: before!, after: after!, teacher: teacher! };
}

interface CellProps {
  readonly estimate: Estimate | null;
  readonly format?: (share: number) => string;
  readonly class?: string;
}

function Cell({ estimate, format = percent, class: name }: CellProps): VNode {
  if (!estimate) return <td />;
  return (
    <td class={name}>
      {format(estimate.mean)} <small>{interval(estimate, format)}</small>
    </td>
  );
}

function Change({ before, after }: { readonly before: number | null; readonly after: number | null }): VNode {
  if (before === null || after === null) return <td />;
  return <td class={direction(after - before)}>{points(after - before)}</td>;
}

const direction = (change = 0): string => (change < 0 ? 'down' : 'up');

const percentOf = (share: number | null): string => (share === null ? '' : percent(share));

const rate = (value: number | null): string => (value === null ? 'not measured' : value.toFixed(1));
