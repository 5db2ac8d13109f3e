import type { VNode } from 'preact';

/** What each run has of one thing. */
export interface RunsRow {
  readonly name: string;
  /** As many as there are runs. */
  readonly values: readonly string[];
}

interface RunsTableProps {
  readonly title: string;
  readonly runs: readonly { readonly name: string }[];
  readonly rows: readonly RunsRow[];
}

/** A column a run. */
export function RunsTable({ title, runs, rows }: RunsTableProps): VNode {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={title}>
      <table>
        <caption>{title}</caption>
        <thead>
          <tr>
            <td />
            {runs.map(({ name }) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ name, values }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              {values.map((value, i) => (
                <td key={i}>{value}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
