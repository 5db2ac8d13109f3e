import type { Assumptions } from './assumptions.js';
import type { Costs } from './costs.js';

const DAY = 86_400;

/** A part that stops a run from growing. */
export interface BreakingPoint {
  readonly part: string;
  /** Images up to which it holds, in the days that are assumed. */
  readonly images: number;
  readonly why: string;
}

/** What holds one record in memory, measured. */
export interface MemoryCosts {
  /** Of the driver: an id of the topic `images`. */
  readonly idBytes: number;
  /** Of the trainer: a selected decision with its signals. */
  readonly decisionBytes: number;
}

/** Parts of the product that are one process or one disk, the one that breaks first at the top. */
export function breakingPoints(a: Assumptions, costs: Costs, memory: MemoryCosts): BreakingPoint[] {
  const seconds = a.days * DAY;
  const driver = costs.cpuSeconds['mpa align'];
  const selected = a.annotated * a.selected;
  const cores = (n: number): string => `${(1e6 * n).toFixed(0)} µs of CPU time an image`;
  const points: BreakingPoint[] = [
    {
      part: 'the trainer reads all selected decisions into its memory',
      images: a.trained < Infinity ? Infinity : a.memory / memory.decisionBytes / selected,
      why: `${memory.decisionBytes.toFixed(0)} bytes a decision, ${(a.memory / 1e9).toFixed(0)} GB`,
    },
    {
      part: 'the driver keeps digests of ids: what it listed, and what each of two stages owes',
      images: a.memory / (3 * memory.idBytes),
      why: `${memory.idBytes.toFixed(0)} bytes an id`,
    },
    {
      part: 'the trainer keeps a digest of every decision, to take each sample once',
      images: a.memory / memory.idBytes / a.annotated,
      why: `${memory.idBytes.toFixed(0)} bytes an id`,
    },
    {
      part: 'the driver is one process: it lists, counts and copies every record',
      images: seconds / driver,
      why: cores(driver),
    },
    {
      part: 'an annotator has at least one partition to itself',
      images: (a.partitions * a.busy * seconds) / a.teacherSeconds,
      why: `${a.partitions} partitions, ${a.teacherSeconds} s an image`,
    },
    {
      part: 'a parity service has at least one partition to itself',
      images: (a.partitions * a.busy * seconds) / a.studentSeconds / a.annotated,
      why: `${a.partitions} partitions, ${a.studentSeconds} s an annotation`,
    },
  ];
  return points.sort((one, other) => one.images - other.images);
}
