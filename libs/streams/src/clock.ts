/** The two clocks that streams need, passed in so that tests can move them. */
export interface Clock {
  /** Milliseconds since 1970, for record timestamps. */
  wall(): number;
  /** Milliseconds that never jump, the same for every process of the machine; for leases. */
  monotonic(): number;
}

/** The system's clocks. `hrtime` counts from boot, so processes can compare it and clock changes don't matter. */
export const systemClock: Clock = {
  wall: () => Date.now(),
  monotonic: () => Number(process.hrtime.bigint() / 1_000_000n),
};
