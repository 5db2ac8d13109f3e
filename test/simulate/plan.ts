import type { Assumptions } from './assumptions.js';
import type { Costs } from './costs.js';

const DAY = 86_400;
const HOUR = 3_600;
const MONTH = 30 * DAY;
const GB = 1e9;

/** What a run takes when nothing fails. */
export interface Plan {
  /** Images a second that must be annotated. */
  readonly rate: number;
  readonly annotators: number;
  readonly parities: number;
  /** Bytes of records, one copy, and what brokers hold. */
  readonly recordBytes: number;
  readonly brokerBytes: number;
  readonly brokers: number;
  /** CPU cores that the services and the driver keep busy beside the models. */
  readonly cores: { readonly annotators: number; readonly parities: number; readonly driver: number };
  /** Bytes of images that are read, each by annotator and parity service, and bytes a second. */
  readonly imageReads: number;
  readonly imageRate: number;
  /** Hours of one GPU. */
  readonly gpuHours: { readonly annotator: number; readonly parity: number; readonly trainer: number };
  readonly dollars: Readonly<Record<'gpus' | 'brokers' | 'broker disks' | 'image storage' | 'image reads', number>>;
}

/** Resources for a run, from measured costs of records and assumed ones of models. */
export function planOf(a: Assumptions, costs: Costs): Plan {
  const seconds = a.days * DAY;
  const rate = a.images / seconds;
  const annotations = a.images * a.annotated;
  const trained = Math.min(a.trained, annotations * a.selected);
  const annotators = Math.ceil((rate * a.teacherSeconds) / a.busy);
  const parities = Math.ceil((rate * a.annotated * a.studentSeconds) / a.busy);
  const { images, annotations: annotated, decisions } = costs.bytes;
  const recordBytes = a.images * (images + annotated) + annotations * decisions;
  const brokerBytes = recordBytes * a.replication;
  const brokers = Math.max(
    a.replication,
    Math.ceil(brokerBytes / seconds / a.brokerRate),
    Math.ceil(brokerBytes / a.brokerDisk),
  );
  const imageReads = a.images + annotations;
  const gpuHours = {
    annotator: (annotators * seconds) / HOUR,
    parity: (parities * seconds) / HOUR,
    trainer: (trained * a.epochs * a.trainSeconds) / a.busy / HOUR,
  };
  return {
    rate,
    annotators,
    parities,
    recordBytes,
    brokerBytes,
    brokers,
    cores: {
      annotators: rate * costs.cpuSeconds.annotator,
      parities: rate * costs.cpuSeconds.parity,
      driver: rate * costs.cpuSeconds['mpa align'],
    },
    imageReads: imageReads * a.imageBytes,
    imageRate: (imageReads * a.imageBytes) / seconds,
    gpuHours,
    dollars: {
      gpus: (gpuHours.annotator + gpuHours.parity + gpuHours.trainer) * a.gpuHour,
      brokers: ((brokers * seconds) / HOUR) * a.brokerHour,
      'broker disks': ((brokerBytes / GB) * a.diskMonth * seconds) / MONTH,
      'image storage': (((a.images * a.imageBytes) / GB) * a.objectMonth * seconds) / MONTH,
      'image reads': imageReads * a.objectReads,
    },
  };
}
