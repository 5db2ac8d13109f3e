import type { RecordCheck } from './check-records.js';

/** Processes of a soak, by name. */
export const PROCESSES = ['mpa align', 'annotator', 'parity'] as const;

/** What images cost beside the models. */
export interface SoakCosts {
  readonly machine: string;
  readonly streams: 'kafka' | 'embedded';
  readonly images: number;
  readonly seconds: number;
  /** CPU seconds of a process for each image. */
  readonly cpuSeconds: Readonly<Record<(typeof PROCESSES)[number], number>>;
  /** Bytes of a record's value, by topic. */
  readonly bytes: RecordCheck['bytes'];
}
