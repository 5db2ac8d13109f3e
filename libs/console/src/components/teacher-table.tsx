import type { VNode } from 'preact';
import type { EndpointUsage, TeacherUsage } from '../run/summary.js';
import { count, words } from './format.js';

/** What an L-VLM behind an endpoint was asked, a row for each purpose, and what it could not tell. */
export function TeacherTable({ teacher }: { readonly teacher: TeacherUsage }): VNode {
  const missing = Object.entries(teacher.missingSignals).map(([kind, n]) => `${words(kind)} in ${count(n)}`);
  return (
    <>
      <div class="scroll" tabIndex={0} role="region" aria-label="Requests to the L-VLM">
        <table>
          <thead>
            <tr>
              <th scope="col">Asked for</th>
              <th scope="col">Requests</th>
              <th scope="col">Repeated</th>
              <th scope="col">Images</th>
              <th scope="col">Input tokens</th>
              <th scope="col">Output tokens</th>
              {teacher.total.cost !== null && <th scope="col">Cost</th>}
            </tr>
          </thead>
          <tbody>
            {Object.entries(teacher.stages).map(([purpose, usage]) => (
              <Row key={purpose} name={words(purpose)} usage={usage} />
            ))}
          </tbody>
          <tfoot>
            <Row name="In all" usage={teacher.total} />
          </tfoot>
        </table>
      </div>
      {missing.length > 0 && <p>Signals that the L-VLM could not give: {missing.join(', ')} annotations.</p>}
    </>
  );
}

function Row({ name, usage }: { readonly name: string; readonly usage: EndpointUsage }): VNode {
  const { requests, retries, images, inputTokens, outputTokens, cost } = usage;
  return (
    <tr>
      <th scope="row">{name}</th>
      {[requests, retries, images, inputTokens, outputTokens].map((value, i) => (
        <td key={i}>{count(value)}</td>
      ))}
      {cost !== null && <td>{cost.toPrecision(3)}</td>}
    </tr>
  );
}
