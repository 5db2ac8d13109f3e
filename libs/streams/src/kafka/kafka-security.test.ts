import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StreamRecord } from '../record.js';
import { hasKafka, kafkaReleases, startBroker, type Broker } from './broker.fixture.js';
import type { KafkaCredentials } from './kafka-options.js';
import { kafkaOptions } from './kafka-options.js';
import { openKafkaStreams } from './kafka-streams.js';
import type { z } from 'zod';

const PASSWORD = 'hush-hush';

describe('options of Kafka', () => {
  it.each([
    [{ sasl: 'plain' }, /MPA_KAFKA_USERNAME and MPA_KAFKA_PASSWORD/],
    [{ tls: { ca: '/nowhere/ca.pem' } }, /kafka\.tls\.ca: cannot read \/nowhere\/ca\.pem/],
    [{ compression: 'lz4' }, /kafka\.codecs\.lz4/],
    [{ codecs: { zstd: 'no-such-package' } }, /kafka\.codecs\.zstd: cannot load the package no-such-package/],
  ] as const)('refuse %j, and say what to do', (options, message) => {
    expect(() => openKafkaStreams('kafka://127.0.0.1:1/p', kafkaOptions.parse(options))).toThrow(message);
  });

  it.each(['kafka://', 'kafka://host/p', 'kafka://host:1', 'kafka://host:1/a b', 'kafka://a:1,b/p'])(
    'refuse %s',
    (place) => {
      expect(() => openKafkaStreams(place, kafkaOptions.parse({}))).toThrow(
        /is no place on Kafka: give kafka:\/\/HOST:PORT/,
      );
    },
  );

  it('refuse signs of life that come too seldom', () => {
    expect(() => kafkaOptions.parse({ sessionTimeoutMs: 6000, heartbeatIntervalMs: 5000 })).toThrow(
      /half of sessionTimeoutMs/,
    );
  });
});

// A broker with a certificate and passwords of its own, so not on one that is given.
describe.skipIf(!hasKafka || kafkaReleases.length === 1)('Kafka behind TLS and SASL', () => {
  let folder: string;
  let ca: string;
  let broker: Broker;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'mpa-kafka-tls-'));
    ca = join(folder, 'cert.pem');
    const key = join(folder, 'key.pem');
    const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
    const request = [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-days',
      '2',
      '-keyout',
      key,
      '-out',
      ca,
      ...subject,
    ];
    expect(spawnSync('openssl', request).status).toBe(0);
    const store = join(folder, 'store.pem');
    writeFileSync(store, readFileSync(key, 'utf8') + readFileSync(ca, 'utf8'));
    const users = `username="broker" password="b" user_broker="b" user_mpa="${PASSWORD}"`;
    const properties = join(folder, 'secure.properties');
    writeFileSync(
      properties,
      Object.entries({
        'listener.security.protocol.map': 'CLIENT:SASL_SSL,CONTROLLER:PLAINTEXT',
        'ssl.keystore.type': 'PEM',
        'ssl.keystore.location': store,
        'ssl.truststore.type': 'PEM',
        'ssl.truststore.location': ca,
        'sasl.enabled.mechanisms': 'PLAIN',
        'sasl.mechanism.inter.broker.protocol': 'PLAIN',
        'listener.name.client.plain.sasl.jaas.config': `org.apache.kafka.common.security.plain.PlainLoginModule required ${users};`,
      })
        .map(([name, value]) => `${name}=${value}\n`)
        .join(''),
    );
    broker = await startBroker(kafkaReleases.at(-1)!, ['--properties', properties]);
  }, 600_000);

  afterAll(async () => {
    await broker?.stop();
    rmSync(folder, { recursive: true });
  });

  async function roundTrip(
    options: z.input<typeof kafkaOptions>,
    credentials?: KafkaCredentials,
  ): Promise<StreamRecord[]> {
    const streams = openKafkaStreams(`kafka://${broker.brokers.join(',')}/secure`, kafkaOptions.parse(options), {
      credentials,
    });
    try {
      await streams.producer.send('t', [{ key: 'k', value: new Uint8Array(5000) }]);
      const records: StreamRecord[] = [];
      for await (const record of streams.readAll('t')) records.push(record);
      return records;
    } finally {
      await streams.close();
    }
  }

  it.each([
    ['gzip', {}],
    ['none', { compression: 'none' }],
    ['a registered codec', { compression: 'snappy', codecs: { snappy: 'kafkajs-snappy' } }],
  ] as const)('writes and reads, with %s', async (_name, compression) => {
    const records = await roundTrip(
      { tls: { ca }, sasl: 'plain', ...compression },
      { username: 'mpa', password: PASSWORD },
    );
    expect(records).toHaveLength(1);
    expect(records[0]!.value).toHaveLength(5000);
  });

  it('refuses a wrong password without naming it', async () => {
    const failed = roundTrip({ tls: { ca }, sasl: 'plain' }, { username: 'mpa', password: 'guessed' });
    await expect(failed).rejects.toMatchObject({
      code: 'store',
      message: expect.not.stringContaining('guessed') as string,
    });
    await expect(failed).rejects.toThrow(/[Aa]uthentication/);
  }, 120_000);

  it('refuses a certificate that nobody vouches for', async () => {
    await expect(roundTrip({ tls: true, sasl: 'plain' }, { username: 'mpa', password: PASSWORD })).rejects.toThrow(
      /self-signed/,
    );
  }, 120_000);
});
