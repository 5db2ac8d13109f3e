/** What cannot be measured without the fleet, and what it costs: all can be set by a flag of `npm run simulate`. */
export interface Assumptions {
  readonly images: number;
  /** Days that the annotating is to take. */
  readonly days: number;
  /** GPU seconds of the L-VLM for an image: question, self-check, signals. */
  readonly teacherSeconds: number;
  /** GPU seconds of the S-VLM for an annotation. */
  readonly studentSeconds: number;
  /** Share of images that become annotations, and of annotations that are selected. */
  readonly annotated: number;
  readonly selected: number;
  /** Selected samples that are trained on at most, passes over them, and GPU seconds for each. */
  readonly trained: number;
  readonly epochs: number;
  readonly trainSeconds: number;
  /** Share of its time that a GPU computes. */
  readonly busy: number;
  readonly imageBytes: number;
  readonly partitions: number;
  /** Copies of a record in Kafka. */
  readonly replication: number;
  /** Bytes a second and bytes of disk of a broker. */
  readonly brokerRate: number;
  readonly brokerDisk: number;
  /** Hours between two failures of a worker (node, spot, crash), and seconds until its successor works. */
  readonly failureHours: number;
  readonly restartSeconds: number;
  /** Seconds for which all workers of a group begin no batch when one comes or goes. */
  readonly rebalanceSeconds: number;
  /** Memory of the driver and of the trainer, bytes. */
  readonly memory: number;
  /** Prices in dollars. */
  readonly gpuHour: number;
  readonly brokerHour: number;
  readonly diskMonth: number;
  readonly objectMonth: number;
  readonly objectReads: number;
}

/** Units and reasons, by name; the defaults are round figures to be replaced by one's own. */
export const ASSUMED: { readonly [Name in keyof Assumptions]: { readonly value: number; readonly meaning: string } } = {
  images: { value: 1e9, meaning: 'images' },
  days: { value: 30, meaning: 'days for annotating' },
  teacherSeconds: { value: 0.5, meaning: 'GPU seconds of the L-VLM an image (no GPU was measured)' },
  studentSeconds: { value: 0.03, meaning: 'GPU seconds of the S-VLM an annotation (no GPU was measured)' },
  annotated: { value: 0.95, meaning: 'share of images that become annotations' },
  selected: { value: 0.1, meaning: 'share of annotations that are selected' },
  trained: { value: Infinity, meaning: 'selected samples that are trained on at most' },
  epochs: { value: 1, meaning: 'passes over them' },
  trainSeconds: { value: 0.02, meaning: 'GPU seconds of training a sample and pass (no GPU was measured)' },
  busy: { value: 0.9, meaning: 'share of its time that a GPU computes' },
  imageBytes: { value: 200e3, meaning: 'bytes of an image' },
  partitions: { value: 1024, meaning: 'partitions of each topic' },
  replication: { value: 3, meaning: 'copies of each record in Kafka' },
  brokerRate: { value: 50e6, meaning: 'bytes a second that a broker takes, copies included' },
  brokerDisk: { value: 4e12, meaning: 'bytes of disk of a broker' },
  failureHours: { value: 200, meaning: 'hours between failures of a worker' },
  restartSeconds: { value: 300, meaning: 'seconds until its successor works' },
  rebalanceSeconds: { value: 5, meaning: 'seconds that a group pauses when a worker comes or goes' },
  memory: { value: 64e9, meaning: 'bytes of memory of the driver, and of the trainer' },
  gpuHour: { value: 2.5, meaning: 'dollars an hour of a GPU with its share of a node' },
  brokerHour: { value: 0.4, meaning: 'dollars an hour of a broker' },
  diskMonth: { value: 0.08, meaning: 'dollars a month and GB of disk' },
  objectMonth: { value: 0.023, meaning: 'dollars a month and GB of object storage' },
  objectReads: { value: 0.4e-6, meaning: 'dollars a read from object storage' },
};

/** The flag that sets an assumption, without its dashes. */
export function flagOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
