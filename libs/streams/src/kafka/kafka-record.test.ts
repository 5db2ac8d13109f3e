import type { KafkaMessage } from 'kafkajs';
import { expect, it } from 'vitest';
import { toDeadLetter } from '../dead-letter.js';
import { checkRecord } from '../check-record.js';
import { fromMessage } from './kafka-record.js';

const message = { offset: '17', timestamp: '0', attributes: 0, value: Buffer.from('text') };

it.each([
  ['without a key', { ...message, key: null }],
  ['with an empty one', { ...message, key: Buffer.alloc(0) }],
  ['with one that is too long', { ...message, key: Buffer.alloc(2_000, 'k') }],
])('a record of others %s goes by its place, so that it can be put aside', (_, foreign) => {
  const record = fromMessage('images', 3, foreign as KafkaMessage);
  expect(record).toMatchObject({ key: '3@17', id: '3@17' });
  expect(() => checkRecord('images.dead', toDeadLetter(record, new Error('no message')))).not.toThrow();
});
