import type { CurvePoint } from '../pipeline/train-student.js';
import { html, type Html } from './html.js';

const SIZE = { width: 640, height: 240, left: 56, right: 12, top: 16, bottom: 40 };

/** Points drawn at most; longer curves are averaged in as many groups. */
const DRAWN_POINTS = 300;

type Point = Pick<CurvePoint, 'step' | 'loss'>;

/** The training loss over the steps as an inline SVG: every step, and a running mean on top. */
export function lossCurve(curve: readonly Point[]): Html {
  const [first, last] = [curve[0], curve.at(-1)];
  if (!first || !last) return html`<p>No sample was selected, so nothing was trained.</p>`;
  const points = grouped(curve);
  const top = Math.max(...points.map(({ loss }) => loss)) * 1.05 || 1;
  const { width, height, left, right, top: above, bottom } = SIZE;
  const x = (step: number): number => left + ((step - first.step) / Math.max(1, last.step - first.step)) * (width - left - right); // prettier-ignore
  const y = (loss: number): number => above + (1 - loss / top) * (height - above - bottom);
  const path = (line: readonly Point[]): string =>
    line.map(({ step, loss }) => `${x(step).toFixed(1)},${y(loss).toFixed(1)}`).join(' ');
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((share) => share * top);
  const summary = `Training loss from ${first.loss.toFixed(3)} at step ${first.step} to ${last.loss.toFixed(3)} at step ${last.step}`;
  return html`<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${summary}">
    ${ticks.map(
      (loss) =>
        html`<line class="grid" x1="${left}" x2="${width - right}" y1="${y(loss)}" y2="${y(loss)}" />
          <text x="${left - 6}" y="${y(loss) + 4}" text-anchor="end">${loss.toFixed(2)}</text>`,
    )}
    <text x="${left}" y="${height - 12}">step ${first.step}</text>
    <text x="${width - right}" y="${height - 12}" text-anchor="end">step ${last.step}</text>
    <polyline class="each" points="${path(points)}" />
    <polyline class="mean" points="${path(runningMean(points))}" />
  </svg>`;
}

function grouped(curve: readonly Point[]): Point[] {
  const size = Math.ceil(curve.length / DRAWN_POINTS);
  return Array.from({ length: Math.ceil(curve.length / size) }, (_, i) =>
    average(curve.slice(i * size, (i + 1) * size)),
  );
}

function runningMean(points: readonly Point[]): Point[] {
  const reach = Math.max(1, Math.round(points.length / 20));
  return points.map(({ step }, i) => ({
    step,
    loss: average(points.slice(Math.max(0, i - reach), i + reach + 1)).loss,
  }));
}

function average(points: readonly Point[]): Point {
  const mean = (field: keyof Point): number => points.reduce((sum, point) => sum + point[field], 0) / points.length;
  return { step: mean('step'), loss: mean('loss') };
}
