import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.js';
import { partitionOf } from '../partition-of.js';
import { StreamsError } from '../streams-error.js';
import type { LogStore } from './log-store.js';

/** A claim that lapses `leaseMs` after `at`. A time in the future is from before a reboot: lapsed too. */
interface Claim {
  readonly at: number;
  readonly leaseMs: number;
}

/** Who reads a partition. The epoch grows with every change of owner and fences the one before. */
interface StoredLease extends Claim {
  readonly owner: string;
  readonly epoch: number;
}

interface StoredMember extends Claim {
  readonly topics: readonly string[];
}

/** A partition that this member reads. */
export interface Lease {
  readonly topic: string;
  readonly partition: number;
  readonly epoch: number;
}

/**
 * Shares the partitions of a group's topics among its living members, with nobody in charge: each
 * member renews its membership and its leases in the store, and computes from the living members which
 * partitions are its own. It takes those when they are free or lapsed, and gives the others up.
 */
export class GroupMember {
  readonly id = randomUUID();
  readonly #held = new Map<string, Lease>();

  constructor(
    private readonly store: LogStore,
    private readonly group: string,
    private readonly topics: readonly string[],
    private readonly leaseMs: number,
    private readonly clock: Clock,
  ) {}

  /** The leases held, as of the last `renew`. */
  held(): readonly Lease[] {
    return [...this.#held.values()];
  }

  /**
   * Renews membership and leases and takes or gives up partitions; those for which `isBusy` holds are kept.
   * @returns what changed; `lost` are leases that another member has taken
   */
  renew(isBusy: (lease: Lease) => boolean): { gained: Lease[]; released: Lease[]; lost: Lease[] } {
    const change = { gained: [] as Lease[], released: [] as Lease[], lost: [] as Lease[] };
    this.store.write(
      () => {
        this.store.members.putSync([this.group, this.id], { ...this.#claim(), topics: this.topics });
        const members = this.#livingMembers();
        for (const topic of this.topics) {
          const partitions = this.store.partitions(topic);
          for (let partition = 0; partition < partitions; partition++) {
            const mine = ownerOf(topic, partition, members) === this.id;
            this.#settle({ topic, partition }, mine, isBusy, change);
          }
        }
      },
      { flush: false },
    );
    for (const lease of [...change.released, ...change.lost]) this.drop(lease);
    for (const lease of change.gained) this.#held.set(`${lease.topic}/${lease.partition}`, lease);
    return change;
  }

  /** Whether the partition still belongs to this lease, by the store. */
  owns(lease: Lease): boolean {
    const stored = this.#stored(lease);
    return stored?.owner === this.id && stored.epoch === lease.epoch;
  }

  /** Within `write`: throws StreamsError `stale` unless the partition still belongs to this lease. */
  assertOwns(lease: Lease): void {
    if (this.owns(lease)) return;
    throw new StreamsError(
      'stale',
      `${lease.topic}[${lease.partition}] of group ${this.group} was taken over by another consumer`,
    );
  }

  /** Renews one lease. Throws StreamsError `stale` when it is lost. */
  heartbeat(lease: Lease): void {
    this.store.write(
      () => {
        this.assertOwns(lease);
        this.#put(lease, this.id, lease.epoch);
      },
      { flush: false },
    );
  }

  /** Forgets a lease that is lost. */
  drop(lease: Lease): void {
    this.#held.delete(`${lease.topic}/${lease.partition}`);
  }

  /** Gives everything up, so that others need not wait for the leases to lapse. */
  leave(): void {
    this.store.write(
      () => {
        for (const lease of this.#held.values()) {
          if (this.owns(lease)) this.#put(lease, '', lease.epoch);
        }
        this.store.members.removeSync([this.group, this.id]);
      },
      { flush: false },
    );
    this.#held.clear();
  }

  #settle(
    at: { topic: string; partition: number },
    mine: boolean,
    isBusy: (lease: Lease) => boolean,
    change: { gained: Lease[]; released: Lease[]; lost: Lease[] },
  ): void {
    const held = this.#held.get(`${at.topic}/${at.partition}`);
    if (held && !this.owns(held)) {
      change.lost.push(held);
    } else if (held && (mine || isBusy(held))) {
      this.#put(held, this.id, held.epoch);
    } else if (held) {
      this.#put(held, '', held.epoch);
      change.released.push(held);
    } else if (mine) {
      const stored = this.#stored(at);
      if (stored && stored.owner !== '' && this.#isLive(stored)) return;
      const lease = { ...at, epoch: (stored?.epoch ?? 0) + 1 };
      this.#put(lease, this.id, lease.epoch);
      change.gained.push(lease);
    }
  }

  /** Living members by id, in a fixed order; removes the dead ones. */
  #livingMembers(): { id: string; topics: readonly string[] }[] {
    const rows = [...this.store.members.getRange({ start: [this.group, ''], end: [this.group, '\uffff'] })];
    return rows.flatMap(({ key, value }) => {
      const member = value as StoredMember;
      if (this.#isLive(member)) return [{ id: (key as [string, string])[1], topics: member.topics }];
      this.store.members.removeSync(key);
      this.store.clearDeadReaders();
      return [];
    });
  }

  #claim(): Claim {
    return { at: this.clock.monotonic(), leaseMs: this.leaseMs };
  }

  #isLive({ at, leaseMs }: Claim): boolean {
    const now = this.clock.monotonic();
    return at <= now && now < at + leaseMs;
  }

  #stored({ topic, partition }: { topic: string; partition: number }): StoredLease | undefined {
    return this.store.leases.get([this.group, topic, partition]) as StoredLease | undefined;
  }

  #put({ topic, partition }: Lease, owner: string, epoch: number): void {
    const lease: StoredLease = { ...this.#claim(), owner, epoch };
    this.store.leases.putSync([this.group, topic, partition], lease);
  }
}

/** Deals a topic's partitions out in turn to its members; each topic starts at another one. */
function ownerOf(
  topic: string,
  partition: number,
  members: readonly { id: string; topics: readonly string[] }[],
): string | undefined {
  const readers = members.filter((member) => member.topics.includes(topic));
  return readers[(partition + partitionOf(topic, readers.length)) % readers.length]?.id;
}
