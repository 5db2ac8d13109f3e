import type { VNode } from 'preact';
import type { Line } from '../run/training-curve.js';
import { LineChart } from './line-chart.js';

/** The training loss over the steps, and its terms beside the answer's. */
export function TrainingCurves({ lines }: { readonly lines: readonly Line[] }): VNode {
  const [loss, ...terms] = lines;
  if (!loss || loss.points.length === 0) return <p>No step has been trained.</p>;
  return (
    <div class="sides">
      <div>
        <LineChart title="Training loss" lines={[{ ...loss, name: 'loss' }]} />
        <p class="lead">Nats per answer token: each step, and the running mean.</p>
      </div>
      {terms.length > 0 && (
        <div>
          <LineChart
            title={terms.length > 1 ? 'Terms of the loss' : `Term of the loss: ${terms[0]!.name}`}
            lines={terms}
          />
          <p class="lead">Each term as it is, before its coefficient.</p>
        </div>
      )}
    </div>
  );
}
