/** A point in pixels. */
export interface Point {
  x: number;
  y: number;
}

/** An axis-aligned rectangle in pixels; (x, y) is its top left corner. */
export interface Box {
  x: number;
  y: number;
  w: number;
  h: number;
}

/** Top left, top right, bottom right, bottom left. */
export type Quad = readonly [Point, Point, Point, Point];

/** The corners of a box. */
export function cornersOf({ x, y, w, h }: Box): Quad {
  return [
    { x, y },
    { x: x + w, y },
    { x: x + w, y: y + h },
    { x, y: y + h },
  ];
}

/** The smallest box around some points. */
export function boxAround(points: readonly Point[]): Box {
  const xs = points.map((p) => p.x);
  const ys = points.map((p) => p.y);
  const x = Math.min(...xs);
  const y = Math.min(...ys);
  return { x, y, w: Math.max(...xs) - x, h: Math.max(...ys) - y };
}

/** Boxes in the order they are read: rows from the top, each from the left. Gives indices into `boxes`. */
export function readingOrder(boxes: readonly Box[]): number[] {
  const rows: { middle: number; height: number; members: number[] }[] = [];
  const byMiddle = boxes.map((_, i) => i).sort((a, b) => middleOf(boxes, a) - middleOf(boxes, b));
  for (const i of byMiddle) {
    const height = boxes[i]?.h ?? 0;
    const row = rows.find((r) => Math.abs(r.middle - middleOf(boxes, i)) < Math.max(r.height, height) / 2);
    if (row) row.members.push(i);
    else rows.push({ middle: middleOf(boxes, i), height, members: [i] });
  }
  return rows.flatMap((row) => row.members.sort((a, b) => (boxes[a]?.x ?? 0) - (boxes[b]?.x ?? 0)));
}

function middleOf(boxes: readonly Box[], index: number): number {
  const box = boxes[index];
  return box ? box.y + box.h / 2 : 0;
}
