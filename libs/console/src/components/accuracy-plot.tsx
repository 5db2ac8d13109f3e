import { scaleLinear } from 'd3-scale';
import { symbol, symbolCircle, symbolCross, symbolDiamond, symbolSquare, symbolStar, symbolTriangle } from 'd3-shape';
import type { VNode } from 'preact';
import type { Estimate } from './estimate.js';
import { interval, percent } from './format.js';

/** An estimate with the name it is listed under. */
export interface Mark {
  readonly name: string;
  readonly estimate: Estimate | null;
}

/** Estimates that are compared with each other, such as those of a task. */
export interface MarkGroup {
  readonly name: string;
  /** As many as every other group has, in the same order. */
  readonly marks: readonly Mark[];
}

const SHAPES = [symbolCircle, symbolSquare, symbolDiamond, symbolTriangle, symbolStar, symbolCross];
const WIDTH = 640;
const LEFT = 90;
const RIGHT = 36;
const ROW = 18;
const GAP = 16;
const AXIS = 26;

/**
 * Shares of each group with their intervals, from 0 to 100 per cent. Marks are told apart by shape and place as well as by
 * colour; the label says all values, which a table beside the plot should give too.
 */
export function AccuracyPlot({
  title,
  groups,
}: {
  readonly title: string;
  readonly groups: readonly MarkGroup[];
}): VNode {
  const names = groups[0]?.marks.map(({ name }) => name) ?? [];
  const each = names.length * ROW + GAP;
  const height = groups.length * each + AXIS;
  const x = scaleLinear([0, 1], [LEFT, WIDTH - RIGHT]);
  const label = groups.map(({ name, marks }) => `${name}: ${marks.map(spoken).join(', ')}`).join('. ');
  return (
    <figure class="chart">
      <figcaption>{title}</figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${height}`} role="img" aria-label={`${title}. ${label}`}>
        {x.ticks(5).map((share) => (
          <g key={share}>
            <line class="grid" x1={x(share)} x2={x(share)} y1={0} y2={height - AXIS} />
            <text x={x(share)} y={height - 8} text-anchor="middle">
              {Math.round(share * 100)} %
            </text>
          </g>
        ))}
        {groups.map(({ name, marks }, group) => (
          <g key={name} transform={`translate(0 ${group * each + GAP / 2})`}>
            <text class="name" x={LEFT - 10} y={(each - GAP) / 2 + 4} text-anchor="end">
              {name}
            </text>
            {marks.map(({ name: of, estimate }, i) => (
              <g key={of} class={`mark mark-${i % SHAPES.length}`} transform={`translate(0 ${(i + 0.5) * ROW})`}>
                {estimate && <Whisker x={x} estimate={estimate} shape={i} />}
              </g>
            ))}
          </g>
        ))}
      </svg>
      <ul class="legend">
        {names.map((name, i) => (
          <li key={name}>
            <svg class={`swatch mark mark-${i % SHAPES.length}`} viewBox="-15 -4 30 8" aria-hidden="true">
              <path class="shape" d={shapeOf(i)} />
            </svg>
            {name}
          </li>
        ))}
      </ul>
    </figure>
  );
}

interface WhiskerProps {
  readonly x: (share: number) => number;
  readonly estimate: Estimate;
  readonly shape: number;
}

function Whisker({ x, estimate: { mean, low, high }, shape }: WhiskerProps): VNode {
  return (
    <>
      <path class="whisker" d={`M${x(low)},0H${x(high)}M${x(low)},-4v8M${x(high)},-4v8`} />
      <path class="shape" transform={`translate(${x(mean)} 0)`} d={shapeOf(shape)} />
    </>
  );
}

function shapeOf(index: number): string {
  return symbol(SHAPES[index % SHAPES.length], 60)() ?? '';
}

function spoken({ name, estimate }: Mark): string {
  return estimate ? `${name} ${percent(estimate.mean)} (${interval(estimate)})` : `${name} not measured`;
}
