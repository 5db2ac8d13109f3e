import { scaleLinear } from 'd3-scale';
import { line } from 'd3-shape';
import type { VNode } from 'preact';
import { runningMean, type Line, type Point } from '../run/training-curve.js';

const SIZE = { width: 640, height: 260, left: 56, right: 12, top: 12, bottom: 40 };
/** Rows of the table beside a chart. */
const ROWS = 10;

interface LineChartProps {
  readonly title: string;
  /** Their names are shown unless there is but one, which the title names then. */
  readonly lines: readonly Line[];
}

/**
 * Lines over the steps of a training: every point faintly, a running mean on top, and the same as a table. Lines are told
 * apart by their dashes as well as by their colour.
 */
export function LineChart({ title, lines }: LineChartProps): VNode {
  const drawn = lines.filter(({ points }) => points.length > 0);
  const all = drawn.flatMap(({ points }) => points);
  const { width, height, left, right, top, bottom } = SIZE;
  const steps = all.map(({ x }) => x);
  const most = Math.max(...all.map(({ y }) => y)) || 1;
  const x = scaleLinear([Math.min(...steps), Math.max(...steps)], [left, width - right]);
  const y = scaleLinear([0, most], [height - bottom, top]).nice();
  const path = line<Point>(
    (point) => x(point.x),
    (point) => y(point.y),
  ).digits(1);
  const summary = drawn
    .map(({ name, points }) => (drawn.length > 1 ? `${name} ${ends(points)}` : ends(points)))
    .join('; ');
  return (
    <figure class="chart">
      <figcaption>{title}</figcaption>
      <svg viewBox={`0 0 ${width} ${height}`} role="img" aria-label={`${title} ${summary}`}>
        {y.ticks(5).map((value) => (
          <g key={value}>
            <line class="grid" x1={left} x2={width - right} y1={y(value)} y2={y(value)} />
            <text x={left - 6} y={y(value) + 4} text-anchor="end">
              {y.tickFormat(5)(value)}
            </text>
          </g>
        ))}
        {x
          .ticks(5)
          .filter(Number.isInteger)
          .map((step) => (
            <text key={step} x={x(step)} y={height - bottom + 18} text-anchor="middle">
              {step}
            </text>
          ))}
        <text x={(left + width - right) / 2} y={height - 4} text-anchor="middle">
          step
        </text>
        {drawn.map(({ name, points }, i) => (
          <g key={name} class={`line line-${i % 6}`}>
            <path class="each" d={path(points) ?? ''} />
            <path class="mean" d={path(runningMean(points)) ?? ''} />
          </g>
        ))}
      </svg>
      {drawn.length > 1 && <Legend names={drawn.map(({ name }) => name)} />}
      <details>
        <summary>As a table</summary>
        <CurveTable title={title} lines={drawn} />
      </details>
    </figure>
  );
}

function Legend({ names }: { readonly names: readonly string[] }): VNode {
  return (
    <ul class="legend">
      {names.map((name, i) => (
        <li key={name}>
          <svg class={`swatch line line-${i % 6}`} viewBox="0 0 30 8" aria-hidden="true">
            <path class="mean" d="M0,4L30,4" />
          </svg>
          {name}
        </li>
      ))}
    </ul>
  );
}

function CurveTable({ title, lines }: { readonly title: string; readonly lines: readonly Line[] }): VNode {
  const longest = lines.reduce((a, b) => (b.points.length > a.points.length ? b : a));
  const means = lines.map(({ points }) => runningMean(points));
  const last = longest.points.length - 1;
  const rows = new Set(Array.from({ length: ROWS }, (_, i) => Math.round((i * last) / (ROWS - 1))));
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={`${title}, running means`}>
      <table>
        <caption>Running means</caption>
        <thead>
          <tr>
            <th scope="col">Step</th>
            {lines.map(({ name }) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {[...rows].map((row) => {
            const step = longest.points[row]!.x;
            return (
              <tr key={row}>
                <th scope="row">{Math.round(step)}</th>
                {means.map((points, i) => (
                  <td key={i}>{at(points, step)}</td>
                ))}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

/** The value of a line at the point nearest to a step; nothing where the line does not reach. */
function at(points: readonly Point[], step: number): string {
  const after = points.findIndex(({ x }) => x >= step);
  return after < 0 ? '' : points[after]!.y.toFixed(3);
}

function ends(points: readonly Point[]): string {
  const [first, last] = [points[0]!, points.at(-1)!];
  return `from ${first.y.toFixed(3)} at step ${Math.round(first.x)} to ${last.y.toFixed(3)} at step ${Math.round(last.x)}`;
}
