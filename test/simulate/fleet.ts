import { seededRandom, type SeededRandom } from '@mpa/trainer';

const STEP_SECONDS = 30;

/** A group of workers on a topic of partitions. */
export interface Fleet {
  readonly records: number;
  readonly partitions: number;
  readonly workers: number;
  /** Seconds of a worker for a record. */
  readonly recordSeconds: number;
  readonly failureHours: number;
  readonly restartSeconds: number;
  readonly rebalanceSeconds: number;
  readonly seed: number;
}

/** How the work went. */
export interface FleetRun {
  readonly days: number;
  readonly failures: number;
  /** Share of the workers' time that went into records. */
  readonly utilisation: number;
  /** Of the time that a fleet without failures or idle workers takes. */
  readonly slowdown: number;
  readonly processed: number;
}

/**
 * Has the workers go through the records, in steps of half a minute: records are dealt to partitions by the hashes of their keys; a partition has
 * one worker, and partitions are dealt evenly to those that are up; a worker fails at random, is replaced, and whenever one goes or comes all pause.
 * A failed worker's batch is done again, which is too little to see.
 */
export function simulateFleet(fleet: Fleet): FleetRun {
  const { partitions, workers, recordSeconds, failureHours, restartSeconds, rebalanceSeconds } = fleet;
  const random = seededRandom(fleet.seed);
  const left = dealRecords(fleet.records, partitions, random);
  const downUntil = new Float64Array(workers);
  const perStep = STEP_SECONDS / recordSeconds;
  const failure = 1 - Math.exp(-STEP_SECONDS / (failureHours * 3_600));
  let [time, failures, processed, changes] = [0, 0, 0, 0];
  while (processed < fleet.records - 0.5) {
    for (let worker = 0; worker < workers; worker++) {
      if (downUntil[worker]! > time || random.uniform() >= failure) continue;
      downUntil[worker] = time + restartSeconds;
      failures += 1;
      changes += 2;
    }
    const up = [...downUntil.keys()].filter((worker) => downUntil[worker]! <= time).length;
    const pause = Math.min(STEP_SECONDS, changes * rebalanceSeconds);
    changes -= pause / rebalanceSeconds || 0;
    processed += workStep(left, up, perStep * (1 - pause / STEP_SECONDS));
    time += STEP_SECONDS;
  }
  const ideal = (fleet.records * recordSeconds) / workers;
  return {
    days: time / 86_400,
    failures,
    utilisation: (fleet.records * recordSeconds) / (time * workers),
    slowdown: time / ideal,
    processed,
  };
}

/** A multinomial draw, each share by its normal approximation. */
function dealRecords(records: number, partitions: number, random: SeededRandom): Float64Array {
  const mean = records / partitions;
  const dealt = Float64Array.from({ length: partitions }, () => Math.max(0, mean + Math.sqrt(mean) * random.normal()));
  const sum = dealt.reduce((a, b) => a + b, 0);
  return dealt.map((n) => (n * records) / sum);
}

/** Each of `up` workers takes up to `most` records from its partitions, which it visits in turn. */
function workStep(left: Float64Array, up: number, most: number): number {
  if (up === 0) return 0;
  let done = 0;
  for (let worker = 0; worker < Math.min(up, left.length); worker++) {
    let can = most;
    for (let partition = worker; partition < left.length && can > 0; partition += up) {
      const taken = Math.min(can, left[partition]!);
      left[partition]! -= taken;
      can -= taken;
      done += taken;
    }
  }
  return done;
}
