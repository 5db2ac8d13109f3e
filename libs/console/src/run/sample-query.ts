import { tasks } from '@mpa/answer-metrics';
import { z } from 'zod';
import { measures } from '../analysis/measures.js';
import { orders, outcomes, type SamplePage, type SampleRow } from '../api.js';
import { ConsoleError } from './console-error.js';
import type { IndexedSample } from './sample-index.js';

/** Rows in one answer at most. */
const MOST_ROWS = 200;

const share = z.coerce.number().min(0).max(1);

const schema = z.strictObject({
  task: z.enum(tasks).optional(),
  outcome: z.enum(outcomes).optional(),
  reason: z.string().max(100).optional(),
  /** In question or answers, whatever their case. */
  text: z.string().max(200).default(''),
  /** What `min` and `max` are of; samples without it do not fit. */
  measure: z.enum(measures).optional(),
  min: share.default(0),
  max: share.default(1),
  order: z.enum(orders).default('arrival'),
  offset: z.coerce.number().int().min(0).default(0),
  limit: z.coerce.number().int().min(1).max(MOST_ROWS).default(50),
});

/** Which samples are wanted, in which order, and which part of them. */
export type SampleQuery = z.infer<typeof schema>;

/** Reads a query from the parameters of an address. Throws ConsoleError `bad-request` naming what is wrong. */
export function parseSampleQuery(parameters: Readonly<Record<string, string>>): SampleQuery {
  const given = Object.fromEntries(Object.entries(parameters).filter(([, value]) => value !== ''));
  const { success, data, error } = schema.safeParse(given);
  if (success) return data;
  throw new ConsoleError(
    'bad-request',
    error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '),
  );
}

/** The samples that fit, in order. */
export interface Selection {
  readonly samples: readonly IndexedSample[];
  readonly facets: Pick<SamplePage, 'tasks' | 'outcomes' | 'reasons'>;
}

/** Filters and sorts. How many there are by task, outcome and reason counts what all other filters let through. */
export function select(samples: readonly IndexedSample[], query: SampleQuery): Selection {
  const { measure, min, max, order } = query;
  const wanted = query.text.toLowerCase();
  const inRange = measure !== undefined && (min > 0 || max < 1);
  const facets = { tasks: {}, outcomes: {}, reasons: {} };
  const found: IndexedSample[] = [];
  for (const sample of samples) {
    if (wanted !== '' && !sample.text.includes(wanted)) continue;
    if (inRange && !within(sample.discrepancies[measure], min, max)) continue;
    const [task, outcome, reason] = (['task', 'outcome', 'reason'] as const).map(
      (key) => query[key] === undefined || query[key] === sample[key],
    );
    if (outcome && reason) tally(facets.tasks, sample.task);
    if (task && reason) tally(facets.outcomes, sample.outcome);
    if (task && outcome && sample.reason !== '') tally(facets.reasons, sample.reason);
    if (task && outcome && reason) found.push(sample);
  }
  found.sort((a, b) => {
    if (order === 'arrival') return a.written - b.written;
    if (order === 'question') return a.question < b.question ? -1 : a.question > b.question ? 1 : 0;
    return (b.discrepancies[order] ?? -1) - (a.discrepancies[order] ?? -1);
  });
  return { samples: found, facets };
}

/** The part of a selection that was asked for. */
export function pageOf({ samples, facets }: Selection, { offset, limit }: SampleQuery): SamplePage {
  return { total: samples.length, offset, rows: samples.slice(offset, offset + limit).map(rowOf), ...facets };
}

/** What of an indexed sample a list shows. */
export function rowOf(sample: IndexedSample): SampleRow {
  const { id, task, outcome, reason, question, answer, studentAnswer, discrepancies } = sample;
  return { id, task, outcome, reason, question, answer, studentAnswer, discrepancies };
}

function within(value: number | undefined, min: number, max: number): boolean {
  return value !== undefined && value >= min && value <= max;
}

function tally(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}
