import { mkdtemp, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock, type Clock } from '../clock.js';
import type { ConsumerEvent, Streams } from '../streams.js';
import { describeStreamsContract } from '../streams-contract.js';
import { openEmbeddedStreams } from './embedded-streams.js';

describeStreamsContract('the embedded log', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'mpa-streams-'));
  return {
    open: async () => openEmbeddedStreams(folder, { partitions: 4, leaseMs: 600 }),
    remove: () => rm(folder, { recursive: true }),
  };
});

describe('the embedded log', () => {
  let folder: string;
  let open: Streams[];

  function streams(options: { leaseMs?: number; partitions?: number; clock?: Clock } = {}): Streams {
    const client = openEmbeddedStreams(folder, { partitions: 1, leaseMs: 300, ...options });
    open.push(client);
    return client;
  }

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mpa-streams-'));
    open = [];
  });

  afterEach(async () => {
    await Promise.all(open.map((client) => client.close()));
    await rm(folder, { recursive: true });
  });

  it('does not let an owner commit whose partition was taken over', async () => {
    const lapsed: Clock = { ...systemClock, monotonic: () => systemClock.monotonic() - 10_000 };
    const slow = streams({ clock: lapsed });
    const other = streams();
    await slow.producer.send('in', [{ key: 'k', value: Uint8Array.of(1) }]);

    let reached!: () => void;
    const inHandler = new Promise<void>((resolve) => (reached = resolve));
    let release!: () => void;
    const mayFinish = new Promise<void>((resolve) => (release = resolve));
    const events: ConsumerEvent[] = [];
    const first = slow.consumer('g', ['in'], { onEvent: (event) => events.push(event) });
    const firstRun = first.run(async (batch) => {
      reached();
      await mayFinish;
      batch.send('out', { key: 'k', id: 'by the first', value: new Uint8Array() });
    });
    await inHandler;
    const second = other.consumer('g', ['in']);
    const secondRun = second.run(async (batch) => {
      batch.send('out', { key: 'k', id: 'by the second', value: new Uint8Array() });
    });
    while ((await other.lag('g', 'in')).lag > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    release();
    await Promise.all([first.stop(), second.stop()]);
    await Promise.all([firstRun, secondRun]);

    const written: string[] = [];
    for await (const { id } of other.readAll('out')) written.push(id);
    expect(written).toEqual(['by the second']);
    expect(events.map(({ kind }) => kind)).toContain('stale');
  });

  it('takes leases from before a reboot for lapsed', async () => {
    const beforeReboot: Clock = { ...systemClock, monotonic: () => systemClock.monotonic() + 1e9 };
    const old = streams({ clock: beforeReboot });
    await old.producer.send('in', [{ key: 'k', value: new Uint8Array() }]);
    const events: ConsumerEvent[] = [];
    let release!: () => void;
    const held = new Promise<void>((resolve) => (release = resolve));
    const oldRun = old.consumer('g', ['in'], { onEvent: (event) => events.push(event) }).run(() => held);
    while (events.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));

    const now = streams();
    const consumer = now.consumer('g', ['in']);
    // The record comes although the old lease's holder never lets go of it.
    await new Promise<void>((resolve) => {
      void consumer.run(async () => resolve());
    });
    release();
    await Promise.all([consumer.stop(), old.close(), oldRun]);
  });

  it('keeps the number of partitions that a topic was made with', async () => {
    const first = streams({ partitions: 3 });
    await first.producer.send('t', [{ key: 'k', value: new Uint8Array() }]);
    expect((await streams({ partitions: 5 }).lag('g', 't')).partitions).toHaveLength(3);
  });

  it('carries values of several megabytes and a key with a NUL', async () => {
    const client = streams();
    const value = new Uint8Array(5 * 2 ** 20).map((_, i) => i % 251);
    await client.producer.send('t', [{ key: 'a\0b', value }]);
    for await (const record of client.readAll('t')) {
      expect(record.key).toBe('a\0b');
      expect(Buffer.compare(record.value, value)).toBe(0);
    }
  });

  it('says which folder cannot be opened', async () => {
    const file = join(folder, 'file');
    await writeFile(file, '');
    expect(() => openEmbeddedStreams(join(file, 'log'))).toThrow(/cannot open the streams in .*file/);
  });

  it('opened to be read only shows what is there, and changes nothing', async () => {
    await streams({ partitions: 2 }).producer.send('t', [{ key: 'a', value: Uint8Array.of(1) }]);
    const reader = openEmbeddedStreams(folder, { readOnly: true });
    open.push(reader);
    const read = async (topic: string): Promise<string[]> => {
      const keys: string[] = [];
      for await (const { key } of reader.readAll(topic)) keys.push(key);
      return keys;
    };
    expect(await read('t')).toEqual(['a']);
    expect(await read('none')).toEqual([]);
    await expect(reader.producer.send('t', [{ key: 'b', value: Uint8Array.of(1) }])).rejects.toMatchObject({ code: 'store' }); // prettier-ignore
  });

  it('opened to be read only refuses what would end the process', async () => {
    const refused = (): void => void openEmbeddedStreams(folder, { readOnly: true });
    const file = join(folder, 'data.mdb');
    expect(refused).toThrow(/data\.mdb/);
    await expect(stat(file)).rejects.toThrow();
    await writeFile(file, '');
    expect(refused).toThrow(/is no log/);
    await writeFile(file, Buffer.alloc(50_000, 3));
    expect(refused).toThrow(/is no log/);
    await rm(file);
    const value = new Uint8Array(100_000);
    const writer = openEmbeddedStreams(folder);
    await writer.producer.send(
      't',
      Array.from({ length: 40 }, (_, i) => ({ key: String(i), value })),
    );
    await writer.close();
    await truncate(file, 1_000_000);
    expect(refused).toThrow(/was cut short/);
  });
});
