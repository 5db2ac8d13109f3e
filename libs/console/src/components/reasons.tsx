import type { VNode } from 'preact';
import { count } from './format.js';

interface ReasonsProps {
  readonly title: string;
  /** Said where there are no counts. */
  readonly none: string;
  readonly counts: Readonly<Record<string, number>>;
  /** Where to see those of a reason. */
  readonly href?: (reason: string) => string;
}

/** How many there are by reason. */
export function Reasons({ title, none, counts, href }: ReasonsProps): VNode {
  const all = Object.entries(counts);
  if (all.length === 0) return <p>{none}</p>;
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">{title}</th>
          <th scope="col">Number</th>
        </tr>
      </thead>
      <tbody>
        {all.map(([reason, n]) => (
          <tr key={reason}>
            <th scope="row">{href ? <a href={href(reason)}>{reason}</a> : reason}</th>
            <td>{count(n)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
