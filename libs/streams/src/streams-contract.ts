import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { deadLetterTopic, HEADER, type OutgoingRecord, type StreamRecord } from './record.js';
import type { Batch, ConsumerEvent, Streams } from './streams.js';
import { StreamsError } from './streams-error.js';
import { defineTopic } from './topic.js';

/** An empty store to test on. */
export interface ContractStore {
  /** A client of the store; several may be open at once. */
  open(): Promise<Streams>;
  /** Removes the store; all clients are closed by then. */
  remove(): Promise<void>;
}

/**
 * What a transport keeps less strictly than the embedded log, each with its reason. The tests then hold it to what is said here;
 * what is not named holds to the letter.
 */
export interface ContractDifferences {
  /** A batch's outputs and its position become readable within moments of each other, not in one instant. */
  readonly readableWithinMoments?: string;
  /** `lag` may count more than the records, but is 0 exactly when all is committed. */
  readonly lagIsUpperBound?: string;
  /** An id that two batches send to a topic is two records: only `Producer.send` looks an id up. */
  readonly handlersRepeatIds?: string;
}

/** The tests that every implementation of `Streams` must pass. */
export function describeStreamsContract(
  name: string,
  makeStore: () => Promise<ContractStore>,
  differences: ContractDifferences = {},
): void {
  const but = Object.keys(differences);
  describe(`${name} keeps the contract of Streams${but.length > 0 ? `, but for ${but.join(', ')}` : ''}`, () => {
    let store: ContractStore;
    let clients: Streams[];
    let streams: Streams;

    async function open(): Promise<Streams> {
      const client = await store.open();
      clients.push(client);
      return client;
    }

    /** What handlers sent to a topic, once their positions are committed. */
    async function sent(topic: string, count: number): Promise<StreamRecord[]> {
      if (differences.readableWithinMoments) await until(async () => (await all(streams, topic)).length >= count);
      return all(streams, topic);
    }

    beforeEach(async () => {
      store = await makeStore();
      clients = [];
      streams = await open();
    });

    afterEach(async () => {
      await Promise.all(clients.map((client) => client.close()));
      await store.remove();
    });

    it('brings back every byte, header, key and id', async () => {
      const value = Uint8Array.from({ length: 256 }, (_, i) => i);
      const headers = { [HEADER.runId]: 'run-1', [HEADER.traceParent]: '00-é-01' };
      const before = Date.now();
      await streams.producer.send('images', [{ key: 'bilder/ä b.png', id: 'x#1', value, headers }]);
      await streams.producer.send('images', [{ key: 'empty', value: new Uint8Array() }]);

      const [record, empty] = sortedBy(await all(streams, 'images'), ({ value: { length } }) => -length);
      expect(record).toMatchObject({ topic: 'images', key: 'bilder/ä b.png', id: 'x#1', headers, offset: 0 });
      expect([...record!.value]).toEqual([...value]);
      expect(record!.timestamp).toBeGreaterThanOrEqual(before);
      expect(empty).toMatchObject({ key: 'empty', id: 'empty', headers: {} });
      expect(empty!.value).toHaveLength(0);
    });

    it('keeps the order of a key', async () => {
      for (let i = 0; i < 50; i++) {
        await streams.producer.send('t', [{ ...rec('same'), id: `id-${i}`, value: Uint8Array.of(i) }]);
      }
      const seen = await consume(streams, 'g', 't', 50, { maxRecords: 7 });
      expect(seen.map(({ value }) => value[0])).toEqual(Array.from({ length: 50 }, (_, i) => i));
    });

    it('takes a record id that is written twice as one record, the first', async () => {
      const other = await open();
      const first = { key: 'a', id: 'one', value: Uint8Array.of(1) };
      const second = { key: 'b', id: 'one', value: Uint8Array.of(2) };
      const reports = await Promise.all([
        streams.producer.send('t', [first, second, rec('two')]),
        streams.producer.send('t', [second]),
      ]);
      reports.push(await other.producer.send('t', [second, rec('two')]));
      await other.producer.send('elsewhere', [second]);

      expect(reports.map(({ written }) => written)).toEqual([2, 0, 0]);
      expect(reports.map(({ duplicates }) => duplicates)).toEqual([1, 1, 2]);
      const records = await all(streams, 't');
      expect(records.map(({ id }) => id).sort()).toEqual(['one', 'two']);
      expect(records.find(({ id }) => id === 'one')!.value[0]).toBe(1);
      expect(await all(streams, 'elsewhere')).toHaveLength(1);
    });

    it('lets several clients send at once, and takes the ids that they share once', async () => {
      const senders = [streams, await open(), await open()];
      const calls = senders.flatMap((client) =>
        Array.from({ length: 5 }, (_, i) => client.producer.send('t', records(10, 5 * i))),
      );
      const reports = await Promise.all(calls);
      expect(reports.reduce((sum, { written }) => sum + written, 0)).toBe(30);
      expect(reports.every(({ written, duplicates }) => written + duplicates === 10)).toBe(true);
      expect(ids(await all(streams, 't'))).toEqual(ids(records(30)));
    });

    it('takes an id that two handlers send as one record', async () => {
      await streams.producer.send('in', records(2));
      const consumer = streams.consumer('g', ['in'], { maxRecords: 1 });
      const running = consumer.run(async (batch) => batch.send('out', { ...rec('same'), id: 'same' }));
      await caughtUp(streams, 'g', 'in');
      await consumer.stop();
      await running;
      const copies = differences.handlersRepeatIds ? 2 : 1;
      expect(ids(await sent('out', copies))).toEqual(Array.from({ length: copies }, () => 'same'));
    });

    it('refuses bad names and writes nothing of such a call', async () => {
      const bad = { code: 'invalid-record' };
      await expect(streams.producer.send('a/b', [rec('k')])).rejects.toMatchObject(bad);
      await expect(streams.producer.send('t', [rec('k'), rec('')])).rejects.toMatchObject(bad);
      await expect(streams.producer.send('t', [rec('k'.repeat(2000))])).rejects.toMatchObject(bad);
      expect(() => streams.consumer('g', ['no topic'])).toThrow(StreamsError);
      expect(await all(streams, 't')).toEqual([]);
    });

    it('gives every group every record', async () => {
      await streams.producer.send('t', records(40));
      const other = await open();
      const [a, b] = await Promise.all([consume(streams, 'a', 't', 40), consume(other, 'b', 't', 40)]);
      expect(ids(a)).toEqual(ids(b));
      expect(new Set(ids(a)).size).toBe(40);
    });

    it('wakes up for records written later, by another client', async () => {
      const other = await open();
      const seen = consume(streams, 'g', 't', 3);
      for (const record of records(3)) {
        await pause(30);
        await other.producer.send('t', [record]);
      }
      expect(await seen).toHaveLength(3);
    });

    it('stores outputs and position together, and neither when the handler fails', async () => {
      await streams.producer.send('in', records(10));
      let failures = 0;
      const consumer = streams.consumer('g', ['in'], { maxRecords: 4 });
      const running = consumer.run(async (batch) => {
        for (const { key, id } of batch.records) {
          batch.send('out', { key, id: `${id}/${failures}`, value: Uint8Array.of(1) });
        }
        if (failures < 2) {
          failures += 1;
          throw Object.assign(new Error('service is away'), { retriable: true });
        }
      });
      await caughtUp(streams, 'g', 'in');
      await consumer.stop();
      await running;
      expect(ids(await sent('out', 10))).toEqual(ids(records(10)).map((id) => `${id}/2`));
    });

    it('sends only the record at fault to the dead-letter topic, with the cause', async () => {
      await streams.producer.send('in', records(20));
      const events: ConsumerEvent[] = [];
      const consumer = streams.consumer('g', ['in'], { attempts: 2, onEvent: (e) => events.push(e) });
      const running = consumer.run(async (batch) => {
        for (const record of batch.records) {
          if (record.id === 'id-7') throw new Error('poison', { cause: new Error('bad pixel') });
          batch.send('out', rec(record.id));
        }
      });
      await caughtUp(streams, 'g', 'in');
      await consumer.stop();
      await running;

      expect(ids(await sent('out', 19))).toEqual(ids(records(20)).filter((id) => id !== 'id-7'));
      const [dead, ...more] = await sent(deadLetterTopic('in'), 1);
      expect(more).toEqual([]);
      expect(dead).toMatchObject({ key: 'id-7', id: 'id-7' });
      expect(dead!.headers[HEADER.deadCause]).toBe('Error: poison <- Error: bad pixel');
      expect(dead!.headers[HEADER.deadTopic]).toBe('in');
      expect(events.filter(({ kind }) => kind === 'dead-letter')).toHaveLength(1);
    });

    it('sends what does not decode to the dead-letter topic and decodes the rest', async () => {
      const topic = defineTopic<{ n: number }>('numbers', {
        contentType: 'application/json',
        encode: (message) => Buffer.from(JSON.stringify(message)),
        decode: (bytes) => JSON.parse(Buffer.from(bytes).toString()) as { n: number },
      });
      await streams.producer.send(topic.name, [topic.record('a', { n: 1 }), topic.record('b', { n: 2 })]);
      await streams.producer.send(topic.name, [{ ...rec('c'), value: Buffer.from('{"n":') }]);
      const decoded: number[] = [];
      const consumer = streams.consumer('g', [topic.name]);
      const running = consumer.run(async (batch) => {
        decoded.push(...topic.decodeBatch(batch).map(({ message }) => message.n));
      });
      await caughtUp(streams, 'g', topic.name);
      await consumer.stop();
      await running;

      expect(decoded.sort()).toEqual([1, 2]);
      const [dead] = await sent(deadLetterTopic(topic.name), 1);
      expect(dead!.headers[HEADER.deadCause]).toMatch(/numbers\[\d+\]@\d+ is not application\/json/);
    });

    it('shares the partitions of a group, and hands them over when a member stops', async () => {
      const other = await open();
      const work = { one: new Set<number>(), two: new Set<number>() };
      const seen: string[] = [];
      const take = (mine: Set<number>) => async (batch: Batch) => {
        mine.add(batch.partition);
        seen.push(...ids(batch.records));
        await pause(1);
      };
      const one = streams.consumer('g', ['t'], { maxRecords: 2 });
      const two = other.consumer('g', ['t'], { maxRecords: 2 });
      const running = [one.run(take(work.one)), two.run(take(work.two))];
      await until(async () => {
        const first = seen.length;
        await streams.producer.send('t', records(8, first));
        await caughtUp(streams, 'g', 't');
        return work.one.size > 0 && work.two.size > 0;
      });
      await two.stop();
      const before = seen.length;
      await streams.producer.send('t', records(32, before));
      await caughtUp(streams, 'g', 't');
      await one.stop();
      await Promise.all(running);

      expect(seen).toHaveLength(before + 32);
      expect(new Set(seen).size).toBe(seen.length);
    });

    it('finishes a batch in flight when stopped, and commits it', async () => {
      await streams.producer.send('t', [rec('slow')]);
      const consumer = streams.consumer('g', ['t']);
      const started = signalled<void>();
      const running = consumer.run(async () => {
        started.resolve();
        await pause(150);
      });
      await started.promise;
      await consumer.stop();
      await running;
      expect((await streams.lag('g', 't')).lag).toBe(0);
    });

    it('aborts a batch after the grace period, and delivers it again', async () => {
      await streams.producer.send('t', [rec('stuck')]);
      const consumer = streams.consumer('g', ['t']);
      const started = signalled<Batch>();
      const running = consumer.run(async (batch) => {
        batch.send('out', rec('never'));
        started.resolve(batch);
        await new Promise((resolve) => batch.signal.addEventListener('abort', resolve));
      });
      const batch = await started.promise;
      await consumer.stop({ graceMs: 20 });
      await running;

      expect(batch.signal.aborted).toBe(true);
      expect(batch.isStale()).toBe(true);
      expect(await all(streams, 'out')).toEqual([]);
      expect(ids(await consume(streams, 'g', 't', 1))).toEqual(['stuck']);
    });

    it('keeps to the limits on records, bytes and batches in work', async () => {
      await streams.producer.send(
        't',
        records(60).map((r) => ({ ...r, value: new Uint8Array(1000) })),
      );
      let inWork = 0;
      let most = 0;
      const consumer = streams.consumer('g', ['t'], { maxRecords: 5, maxBytes: 3500, concurrency: 2 });
      const running = consumer.run(async (batch) => {
        most = Math.max(most, (inWork += 1));
        expect(batch.records.length).toBeLessThanOrEqual(3);
        await batch.heartbeat();
        await pause(2);
        inWork -= 1;
      });
      await caughtUp(streams, 'g', 't');
      await consumer.stop();
      await running;
      expect(most).toBe(2);
    });

    it('reports the lag of a group and reads from an offset on', async () => {
      await streams.producer.send('t', records(30));
      // At most one more for each partition and send: the mark of a transaction.
      const more = (await streams.lag('g', 't')).partitions.length * (differences.lagIsUpperBound ? 1 : 0);
      const isLag = (lag: number, count: number): void => {
        expect(lag).toBeGreaterThanOrEqual(count);
        expect(lag).toBeLessThanOrEqual(count + more);
      };
      isLag((await streams.lag('g', 't')).lag, 30);
      await consume(streams, 'g', 't', 30);
      await streams.producer.send('t', records(5, 30));
      const { lag, partitions } = await streams.lag('g', 't');
      isLag(lag, 5);
      const from = new Map(partitions.map(({ partition, committed }) => [partition, committed]));
      const late: StreamRecord[] = [];
      for await (const record of streams.readAll('t', { from })) late.push(record);
      expect(ids(late)).toEqual(ids(records(5, 30)));
    });

    it('reads what was there when reading began', async () => {
      await streams.producer.send('t', records(10));
      let read = 0;
      for await (const record of streams.readAll('t')) {
        read += 1;
        await streams.producer.send('t', [rec(`${record.id}-again`)]);
      }
      expect(read).toBe(10);
      expect(await streams.count('t')).toBe(20);
      expect(await streams.count('none')).toBe(0);
    });

    it('refuses work after close', async () => {
      await streams.close();
      await streams.close();
      await expect(streams.producer.send('t', [rec('k')])).rejects.toMatchObject({ code: 'closed' });
    });
  });
}

function rec(id: string): OutgoingRecord {
  return { key: id, value: Uint8Array.of(7) };
}

function records(count: number, first = 0): OutgoingRecord[] {
  return Array.from({ length: count }, (_, i) => rec(`id-${first + i}`));
}

function ids(of: readonly { id?: string; key: string }[]): string[] {
  return sortedBy(of, ({ id, key }) => id ?? key).map(({ id, key }) => id ?? key);
}

function sortedBy<T, K extends string | number>(items: readonly T[], by: (item: T) => K): T[] {
  return [...items].sort((a, b) => (by(a) < by(b) ? -1 : 1));
}

async function all(streams: Streams, topic: string): Promise<StreamRecord[]> {
  const found: StreamRecord[] = [];
  for await (const record of streams.readAll(topic)) found.push(record);
  return found;
}

/** Consumes until `count` records are committed; returns them in the order of delivery. */
async function consume(
  streams: Streams,
  group: string,
  topic: string,
  count: number,
  options: { maxRecords?: number } = {},
): Promise<StreamRecord[]> {
  const seen: StreamRecord[] = [];
  const consumer = streams.consumer(group, [topic], options);
  const running = consumer.run(async (batch) => {
    seen.push(...batch.records);
  });
  await until(async () => seen.length >= count);
  await consumer.stop();
  await running;
  return seen;
}

async function caughtUp(streams: Streams, group: string, topic: string): Promise<void> {
  await until(async () => (await streams.lag(group, topic)).lag === 0);
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error('waited 30 s in vain');
    await pause(5);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function signalled<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((done) => (resolve = done));
  return { promise, resolve };
}
