/** One step of the training curve, as `records/training.jsonl` has it. */
export interface CurvePoint {
  readonly step: number;
  /** Steps in all. */
  readonly steps?: number;
  /** Nats per answer token. */
  readonly loss: number;
  /** Each term of the loss as it is, and times its coefficient. */
  readonly terms: Readonly<Record<string, { readonly raw: number; readonly weighted: number }>>;
}

/** A point of a drawn line. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** A line over the steps of a training. */
export interface Line {
  readonly name: string;
  readonly points: readonly Point[];
}

/** Points of a line at most; longer ones are averaged in as many groups. */
const MOST_POINTS = 300;

/** The loss over the steps, and each of its terms beside the answer's as it is. */
export function curveLines(curve: readonly CurvePoint[]): Line[] {
  const names = new Set(curve.flatMap(({ terms }) => Object.keys(terms)));
  names.delete('answer');
  const loss = curve.map(({ step, loss }) => ({ x: step, y: loss }));
  const ofTerms = [...names].sort().map((name) => ({
    name,
    points: curve.flatMap(({ step, terms: { [name]: term } }) => (term ? [{ x: step, y: term.raw }] : [])),
  }));
  return [{ name: 'answer', points: loss }, ...ofTerms].map(({ name, points }) => ({ name, points: thinned(points) }));
}

function thinned(points: readonly Point[]): Point[] {
  const size = Math.ceil(points.length / MOST_POINTS);
  return Array.from({ length: Math.ceil(points.length / size) || 0 }, (_, i) =>
    average(points.slice(i * size, (i + 1) * size)),
  );
}

/** The mean of each point and its neighbours, a tenth of the line in all. */
export function runningMean(points: readonly Point[]): Point[] {
  const reach = Math.max(1, Math.round(points.length / 20));
  return points.map(({ x }, i) => ({ x, y: average(points.slice(Math.max(0, i - reach), i + reach + 1)).y }));
}

function average(points: readonly Point[]): Point {
  const mean = (axis: keyof Point): number => points.reduce((sum, point) => sum + point[axis], 0) / points.length;
  return { x: mean('x'), y: mean('y') };
}
