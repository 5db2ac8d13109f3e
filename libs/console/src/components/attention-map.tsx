import type { VNode } from 'preact';

/** Where a model attends, row by row on a grid over the image. */
export interface Attention {
  readonly grid: number;
  readonly cells: readonly number[];
}

interface AttentionMapProps {
  /** Address of the image; undefined when it can no longer be read. */
  readonly image: string | undefined;
  readonly map: Attention | undefined;
  readonly label: string;
}

/** The image darkened where the model does not look: each cell as dark as it is below the brightest. */
export function AttentionMap({ image, map, label }: AttentionMapProps): VNode {
  const { grid, cells } = map ?? { grid: 1, cells: [1] };
  const most = Math.max(...cells);
  return (
    <svg
      class="attention"
      viewBox={`0 0 ${grid} ${grid}`}
      preserveAspectRatio="none"
      shape-rendering="crispEdges"
      role="img"
      aria-label={label}
    >
      {image !== undefined && <image href={image} width={grid} height={grid} preserveAspectRatio="none" />}
      {cells.map((cell, i) => (
        <rect
          key={i}
          x={i % grid}
          y={Math.floor(i / grid)}
          width="1.01"
          height="1.01"
          fill-opacity={(0.8 * (1 - cell / most)).toFixed(2)}
        />
      ))}
    </svg>
  );
}
