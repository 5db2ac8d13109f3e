import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Authority, writePems } from '@mpa/contracts/testing';
import { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StreamRecord } from '../record.js';
import { hasKafka, kafkaReleases, startBroker, type Broker } from './broker.fixture.js';
import { kafkaClient } from './kafka-client.js';
import { isForbidden } from './kafka-error.js';
import type { KafkaCredentials } from './kafka-options.js';
import { kafkaOptions } from './kafka-options.js';
import { openKafkaStreams } from './kafka-streams.js';
import { checkTopics, createTopics } from './manage-topics.js';
import type { z } from 'zod';

const PASSWORD = 'hush-hush';
let trips = 0;

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
  let tls: { readonly ca: string; readonly cert: string; readonly key: string };
  let broker: Broker;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'mpa-kafka-tls-'));
    const authority = await Authority.create('ours');
    const own = await authority.issue({ commonName: 'broker', ip: ['127.0.0.1'] });
    tls = writePems(join(folder, 'client'), await authority.issue({ commonName: 'mpa' }), authority.cert);
    const store = join(folder, 'store.pem');
    writeFileSync(store, `${own.key}\n${own.cert}\n`);
    const users = `username="broker" password="b" user_broker="b" user_mpa="${PASSWORD}"`;
    const properties = join(folder, 'secure.properties');
    const security = 'org.apache.kafka.common.security';
    writeFileSync(
      properties,
      Object.entries({
        'listener.security.protocol.map': 'CLIENT:SASL_SSL,CONTROLLER:PLAINTEXT',
        'ssl.keystore.type': 'PEM',
        'ssl.keystore.location': store,
        'ssl.truststore.type': 'PEM',
        'ssl.truststore.location': tls.ca,
        'listener.name.client.ssl.client.auth': 'required',
        'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
        'sasl.mechanism.inter.broker.protocol': 'PLAIN',
        'listener.name.client.plain.sasl.jaas.config': `${security}.plain.PlainLoginModule required ${users};`,
        'listener.name.client.scram-sha-256.sasl.jaas.config': `${security}.scram.ScramLoginModule required;`,
        'listener.name.client.scram-sha-512.sasl.jaas.config': `${security}.scram.ScramLoginModule required;`,
      })
        .map(([name, value]) => `${name}=${value}\n`)
        .join(''),
    );
    const scram = [256, 512].flatMap((bits) => ['--scram', `SCRAM-SHA-${bits}=[name=mpa,password=${PASSWORD}]`]);
    broker = await startBroker(kafkaReleases.at(-1)!, ['--properties', properties, ...scram]);
  }, 600_000);

  afterAll(async () => {
    await broker?.stop();
    rmSync(folder, { recursive: true });
  });

  async function roundTrip(
    options: z.input<typeof kafkaOptions>,
    credentials?: KafkaCredentials,
  ): Promise<StreamRecord[]> {
    // Topics of its own: an id is written once.
    const streams = openKafkaStreams(
      `kafka://${broker.brokers.join(',')}/secure-${trips++}`,
      kafkaOptions.parse(options),
      {
        credentials,
      },
    );
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
    ['snappy', { compression: 'snappy', codecs: { snappy: 'kafkajs-snappy' } }],
    ['lz4', { compression: 'lz4', codecs: { lz4: codec('lz4') } }],
    ['zstd', { compression: 'zstd', codecs: { zstd: codec('zstd') } }],
  ] as const)('writes and reads, with %s', async (_name, compression) => {
    const records = await roundTrip({ tls, sasl: 'plain', ...compression }, { username: 'mpa', password: PASSWORD });
    expect(records).toHaveLength(1);
    expect(records[0]!.value).toHaveLength(5000);
  });

  it.each(['scram-sha-256', 'scram-sha-512'] as const)(
    'knows a user by %s, and no other',
    async (sasl) => {
      expect(await roundTrip({ tls, sasl }, { username: 'mpa', password: PASSWORD })).toHaveLength(1);
      await expect(roundTrip({ tls, sasl }, { username: 'mpa', password: 'guessed' })).rejects.toThrow(
        /[Aa]uthentication/,
      );
    },
    120_000,
  );

  it('refuses a wrong password without naming it', async () => {
    const failed = roundTrip({ tls, sasl: 'plain' }, { username: 'mpa', password: 'guessed' });
    await expect(failed).rejects.toMatchObject({
      code: 'store',
      message: expect.not.stringContaining('guessed') as string,
    });
    await expect(failed).rejects.toThrow(/[Aa]uthentication/);
  }, 120_000);

  it.concurrent.each([
    ['a certificate of the broker that nobody vouches for', () => true as const, /self-signed|unable to verify/],
    ['a client without a certificate', () => ({ ca: tls.ca }), /certificate|handshake|closed|disconnect/i],
  ])(
    'refuses %s',
    async (_, files, message) => {
      const failed = roundTrip({ tls: files(), sasl: 'plain' }, { username: 'mpa', password: PASSWORD });
      await expect(failed).rejects.toThrow(message);
    },
    120_000,
  );
});

// Permissions of a cluster are not ours to change on one that is given.
describe.skipIf(!hasKafka || kafkaReleases.length === 1)('Kafka with permissions', () => {
  it('tells a topic whose settings must not be looked at from one that is wrong', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mpa-kafka-permissions-'));
    const properties = join(folder, 'permissions.properties');
    const authorizer = 'org.apache.kafka.metadata.authorizer.StandardAuthorizer';
    writeFileSync(properties, `authorizer.class.name=${authorizer}\nallow.everyone.if.no.acl.found=true\n`);
    const broker = await startBroker(kafkaReleases.at(-1)!, ['--properties', properties]);
    try {
      const place = { brokers: broker.brokers, prefix: 'p' };
      const options = kafkaOptions.parse({});
      await createTopics(place, ['in'], options);
      expect(await checkTopics(place, ['in'], options)).toMatchObject([{ problems: [] }, { problems: [] }]);
      const admin = kafkaClient(broker.brokers, options, undefined).admin();
      await admin.connect();
      const of = { principal: 'User:*', host: '*', resourceName: 'p.', resourceType: AclResourceTypes.TOPIC, resourcePatternType: ResourcePatternTypes.PREFIXED }; // prettier-ignore
      const may = { ...of, operation: AclOperationTypes.DESCRIBE, permissionType: AclPermissionTypes.ALLOW };
      const mayNot = { ...of, operation: AclOperationTypes.DESCRIBE_CONFIGS, permissionType: AclPermissionTypes.DENY };
      await admin.createAcls({ acl: [may, mayNot] });
      await admin.disconnect();
      await expect(checkTopics(place, ['in'], options)).rejects.toSatisfy(isForbidden);
      const nowhere = checkTopics({ brokers: ['127.0.0.1:1'], prefix: 'p' }, ['in'], options);
      await expect(nowhere).rejects.not.toSatisfy(isForbidden);
    } finally {
      await broker.stop();
      rmSync(folder, { recursive: true });
    }
  }, 120_000);
});

function codec(name: string): string {
  return fileURLToPath(new URL(`../../fixtures/${name}-codec.cjs`, import.meta.url));
}
