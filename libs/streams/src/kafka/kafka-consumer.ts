import type { Consumer, ConsumerGroupJoinEvent, EachBatchPayload, Kafka } from 'kafkajs';
import type { Clock } from '../clock.js';
import { Delivery, isRetriable } from '../delivery.js';
import { GroupConsumer, keyOf } from '../group-consumer.js';
import type { PendingBatch } from '../pending-batch.js';
import type { StreamRecord } from '../record.js';
import type { ConsumerOptions } from '../streams.js';
import { StreamsError } from '../streams-error.js';
import { Wakeup } from '../wakeup.js';
import { ENDS_ON_FAILURE, joinGroup } from './join-group.js';
import { KafkaBatch, type KafkaAssignment } from './kafka-batch.js';
import { toStreamsError } from './kafka-error.js';
import type { KafkaOptions } from './kafka-options.js';
import { fromMessage } from './kafka-record.js';
import { partitionAssigner, type Holdings } from './partition-assigner.js';
import { TransactionalProducer, type TransactionOptions } from './transactional-producer.js';

/** Longest time that a request waits for records: a partition that is resumed waits for the request under way. */
const FETCH_MS = 100;
/**
 * Most of a partition in one response, compressed, unless a single batch is larger: a process may hold a thousand partitions, each with one that
 * waits, and short records take many times as much in memory.
 */
const RESPONSE_BYTES = 64 * 2 ** 10;
const REOPEN_AFTER_MS = 1_000;
const COMMIT_TRIES = 3;

/** What a consumer has of its streams. */
export interface KafkaConsumerContext {
  readonly kafka: Kafka;
  readonly transactions: TransactionOptions;
  readonly options: Pick<KafkaOptions, 'sessionTimeoutMs' | 'heartbeatIntervalMs'>;
  readonly clock: Clock;
}

/**
 * A consumer of Kafka. The handler of kafkajs only puts records aside and pauses their partition, so kafkajs goes on with signs of
 * life and rebalancing however long a batch is in work. Each partition has a producer of its own, under a transactional id that
 * names group and partition: its first act fences the owner before, which makes up for the check of membership that a
 * transaction's offsets do not get. Only then is the group's position read, for only then can nobody move it.
 */
export class KafkaConsumer extends GroupConsumer<KafkaAssignment> {
  /** What the group has given to this member; those whose producer is open are `assignments` too. */
  readonly #owned = new Map<string, KafkaAssignment>();
  readonly #wakeup: Wakeup;
  readonly #consumer: Consumer;
  #memberId: string | undefined;
  /** Whether kafkajs can be told to pause: between its first join and its end. */
  #joinedGroup = false;
  /** Between this member's request to join and the answer, or its next sign of life: no further batch is begun, for its partition may go. */
  #joining = false;
  #left = false;
  /** The wall clock's lead over the monotonic one, which changes only when it is set. */
  #wallAhead = -Infinity;
  #beat: () => Promise<void> = async () => undefined;

  constructor(
    private readonly context: KafkaConsumerContext,
    private readonly group: string,
    private readonly topics: readonly string[],
    options: ConsumerOptions,
  ) {
    const wakeup = new Wakeup();
    super(options, () => context.clock.monotonic(), wakeup);
    this.#wakeup = wakeup;
    this.#consumer = context.kafka.consumer({
      groupId: this.#names.nameOf(group),
      sessionTimeout: context.options.sessionTimeoutMs,
      heartbeatInterval: context.options.heartbeatIntervalMs,
      maxWaitTimeInMs: FETCH_MS,
      maxBytesPerPartition: RESPONSE_BYTES,
      partitionAssigners: [partitionAssigner(() => this.#holdings())],
      allowAutoTopicCreation: false,
      ...ENDS_ON_FAILURE,
    });
  }

  protected async join(): Promise<void> {
    const { GROUP_JOIN, HEARTBEAT, STOP, END_BATCH_PROCESS } = this.#consumer.events;
    this.#consumer.on(STOP, () => (this.#joinedGroup = false));
    this.#consumer.on(GROUP_JOIN, ({ payload }) => this.#joined(payload));
    // A request to join that failed leaves kafkajs a member as it was.
    this.#consumer.on(HEARTBEAT, () => (this.#joining = false));
    this.#consumer.on(END_BATCH_PROCESS, ({ payload: { topic, partition, batchSize, firstOffset, lastOffset } }) => {
      if (batchSize === 0) this.#fetched(topic, partition, [], Number(firstOffset), Number(lastOffset));
    });
    const failure = (cause: unknown): StreamsError => toStreamsError(`read ${this.topics.join(', ')}`, cause);
    const names: string[] = [];
    for (const topic of this.topics) {
      await this.#names.partitions(topic);
      names.push(this.#names.nameOf(topic));
    }
    try {
      const config = { eachBatch: async (payload: EachBatchPayload) => this.#take(payload) };
      await joinGroup(this.#consumer, names, config, (cause) => this.fail(failure(cause)));
    } catch (cause) {
      throw failure(cause);
    }
  }

  protected async leave(): Promise<void> {
    this.#left = true;
    await this.#consumer.disconnect().catch(() => undefined);
    const owned = [...this.#owned.values()];
    this.#owned.clear();
    await Promise.all(owned.map(async ({ producer }) => producer?.close()));
  }

  /** What is fetched comes by itself. kafkajs sends signs of life by the wall clock: set back, it would send none until that has caught up. */
  protected refresh(): void {
    const { clock, options } = this.context;
    const ahead = clock.wall() - clock.monotonic();
    const setBack = this.#wallAhead - ahead > options.heartbeatIntervalMs;
    this.#wallAhead = ahead;
    if (setBack) this.fail(new StreamsError('store', 'the clock was set back: the group has to be joined anew'));
  }

  protected nextBatch(assignment: KafkaAssignment, limit: (offset: number) => number): PendingBatch | undefined {
    const { buffer, producer, settling } = assignment;
    const first = buffer[0];
    if (!first || !producer || settling || this.#joining) return undefined;
    const most = limit(first.offset);
    let bytes = 0;
    let count = 0;
    for (const { value } of buffer) {
      bytes += value.byteLength;
      if (count >= most || (count > 0 && bytes > this.options.maxBytes)) break;
      count += 1;
    }
    this.#flow(assignment, count);
    return new KafkaBatch(assignment, buffer.slice(0, count), {
      isOwned: () => this.#owns(assignment),
      beat: () => this.#beat(),
    });
  }

  protected async commit(assignment: KafkaAssignment, batch: PendingBatch): Promise<void> {
    for (let tries = 1; ; tries++) {
      await assignment.opening;
      // A try whose answer was lost may have gone through.
      if (assignment.committed >= batch.nextOffset) return;
      const whole = assignment.buffer.length === batch.records.length;
      try {
        return await this.#moveTo(assignment, whole ? assignment.fetchedTo : batch.nextOffset, batch);
      } catch (error) {
        // The model's work is kept while there is hope.
        if (!(error instanceof StreamsError) || error.code !== 'store' || tries >= COMMIT_TRIES) throw error;
      }
    }
  }

  get #names(): TransactionOptions['topics'] {
    return this.context.transactions.topics;
  }

  /** Whether the group has given it to this member, in its present membership. */
  #owns(assignment: KafkaAssignment): boolean {
    return this.#owned.get(keyOf(assignment)) === assignment;
  }

  /** Commits a position, with a batch's outputs; after a failure the producer is opened anew. */
  async #moveTo(assignment: KafkaAssignment, offset: number, batch?: PendingBatch): Promise<void> {
    const { topic, partition, producer } = assignment;
    if (!producer) throw new StreamsError('stale', `${keyOf(assignment)} is not owned any more`);
    try {
      await producer.commit(batch?.outputs ?? [], { group: this.#names.nameOf(this.group), topic, partition, offset });
      this.#settle(assignment, offset);
    } catch (error) {
      assignment.producer = undefined;
      await producer.close();
      const fenced = error instanceof StreamsError && error.code === 'stale';
      // Whoever fenced us owns the partition, or has just lost it to us: the next join says which.
      if (fenced) this.lose(assignment);
      assignment.opening = this.#open(assignment, fenced ? this.context.options.heartbeatIntervalMs : 0);
      throw error;
    }
  }

  /** The group's position is `offset`: what is before is done with. */
  #settle(assignment: KafkaAssignment, offset: number): void {
    const { buffer } = assignment;
    const done = buffer.findIndex((record) => record.offset >= offset);
    buffer.splice(0, done < 0 ? buffer.length : done);
    assignment.committed = offset;
    assignment.fetchedTo = Math.max(assignment.fetchedTo, offset);
    this.#flow(assignment, 0);
  }

  /** A new generation of the group: kept partitions go on as they are, unless this member was thought dead meanwhile. */
  #joined({ memberId, memberAssignment }: ConsumerGroupJoinEvent['payload']): void {
    const given = this.topics.flatMap((topic) =>
      (memberAssignment[this.#names.nameOf(topic)] ?? []).map((partition) => ({ topic, partition })),
    );
    this.#joinedGroup = true;
    this.#joining = false;
    const keys = new Set(given.map(keyOf));
    for (const [key, assignment] of this.#owned) {
      if (memberId === this.#memberId && keys.has(key)) continue;
      this.#owned.delete(key);
      this.lose(assignment);
      void assignment.opening.then(() => assignment.producer?.close());
    }
    this.#memberId = memberId;
    for (const partition of given) if (!this.#owned.has(keyOf(partition))) this.#own(partition);
  }

  /** What the group is told when this member joins: those with a batch in work first. */
  #holdings(): Holdings {
    this.#joining = true;
    const sorted = [...this.#owned.values()].sort(
      (a, b) => Number(b.batch !== undefined) - Number(a.batch !== undefined),
    );
    const topics = new Map<string, number[]>();
    for (const { topic, partition } of sorted) {
      const name = this.#names.nameOf(topic);
      topics.set(name, [...(topics.get(name) ?? []), partition]);
    }
    return Object.fromEntries(topics);
  }

  #own(partition: { readonly topic: string; readonly partition: number }): void {
    const assignment: KafkaAssignment = {
      ...partition,
      delivery: new Delivery(this.options.attempts),
      notBefore: 0,
      batch: undefined,
      buffer: [],
      fetchedTo: 0,
      gapTo: undefined,
      committed: 0,
      producer: undefined,
      opening: Promise.resolve(),
      settling: false,
    };
    this.#owned.set(keyOf(partition), assignment);
    this.#flow(assignment, 0);
    assignment.opening = this.#open(assignment, 0);
  }

  /** Fences the owner before, then learns the position; tries until that works or the partition is lost. */
  async #open(assignment: KafkaAssignment, pauseMs: number): Promise<void> {
    const { topic, partition } = assignment;
    const id = this.#names.nameOf(`${this.group}.${topic}.${partition}`);
    const isOwned = (): boolean => !this.#left && this.#owns(assignment);
    for (let pause = pauseMs; ; pause = REOPEN_AFTER_MS) {
      if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
      if (!isOwned()) return;
      let producer: TransactionalProducer | undefined;
      try {
        producer = await TransactionalProducer.open(this.context.kafka, id, this.context.transactions);
        const committed = (await this.#names.committed(this.group, topic)).get(partition);
        if (committed === undefined) throw new StreamsError('store', `no position of ${keyOf(assignment)} is known`);
        if (!isOwned()) return await producer.close();
        assignment.producer = producer;
        if (this.has(assignment)) this.#settle(assignment, committed);
        else this.#begin(assignment, committed);
        return void this.#passMarkers(assignment);
      } catch (error) {
        await producer?.close();
        if (!isRetriable(error)) return this.fail(error);
      }
    }
  }

  /** Takes a partition up at the group's position, wherever kafkajs may be. */
  #begin(assignment: KafkaAssignment, committed: number): void {
    Object.assign(assignment, { committed, fetchedTo: committed });
    assignment.buffer.length = 0;
    this.gain(assignment);
    this.#seek(assignment);
    this.#flow(assignment, 0);
  }

  #take({ batch, heartbeat }: EachBatchPayload): void {
    this.#beat = heartbeat;
    const topic = this.#names.ourName(batch.topic);
    const records = batch.messages.map((message) => fromMessage(topic, batch.partition, message));
    this.#fetched(batch.topic, batch.partition, records, Number(batch.firstOffset()), Number(batch.lastOffset()));
  }

  /**
   * Puts aside what is new of it: after a rebalance kafkajs begins again at the group's position. It may also bring, late, what it fetched
   * before one, from further on: then it is sent back to where it has to be.
   */
  #fetched(name: string, partition: number, records: readonly StreamRecord[], first: number, last: number): void {
    const assignment = this.assignments.get(keyOf({ topic: this.#names.ourName(name), partition }));
    if (!assignment) return;
    if (first > assignment.fetchedTo && first !== assignment.gapTo) {
      assignment.gapTo = first;
      return this.#seek(assignment);
    }
    assignment.gapTo = undefined;
    for (const record of records) if (record.offset >= assignment.fetchedTo) assignment.buffer.push(record);
    assignment.fetchedTo = Math.max(assignment.fetchedTo, last + 1);
    this.#flow(assignment, assignment.batch?.records.length ?? 0);
    this.#wakeup.notify();
    void this.#passMarkers(assignment);
  }

  /** Moves the position past markers that no record follows, so that a group that has read all has no lag. */
  async #passMarkers(assignment: KafkaAssignment): Promise<void> {
    const { settling, batch, buffer, producer, fetchedTo, committed } = assignment;
    if (settling || batch || buffer.length > 0 || !producer || fetchedTo <= committed) return;
    assignment.settling = true;
    // Whatever went wrong is the next batch's concern too.
    await this.#moveTo(assignment, fetchedTo).catch(() => undefined);
    assignment.settling = false;
    this.#wakeup.notify();
  }

  /** Has kafkajs go on with what comes after all that was fetched. */
  #seek({ topic, partition, fetchedTo }: KafkaAssignment): void {
    if (!this.#joinedGroup) return;
    this.#consumer.seek({ topic: this.#names.nameOf(topic), partition, offset: String(fetchedTo) });
  }

  /** Fetches on while nothing waits behind the `inWork` records of the buffer, once the position is known. */
  #flow(assignment: KafkaAssignment, inWork: number): void {
    if (!this.#joinedGroup || !this.#owns(assignment)) return;
    const { topic, partition, buffer } = assignment;
    const partitions = [{ topic: this.#names.nameOf(topic), partitions: [partition] }];
    if (buffer.length > inWork || !this.has(assignment)) this.#consumer.pause(partitions);
    else this.#consumer.resume(partitions);
  }
}
