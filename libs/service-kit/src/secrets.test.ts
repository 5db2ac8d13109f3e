import { expect, it } from 'vitest';
import { createLogger } from './logger.js';
import { masked, secretsIn } from './secrets.js';

it('secrets are the values of variables that are called so', () => {
  const env = {
    OPENAI_API_KEY: 'key-12345678',
    MPA_TOKEN: ' token-123456\n',
    MPA_KAFKA_PASSWORD: 'pass-12345',
    HOME: '/home/somebody',
    SHORT_KEY: 'EMPTY',
  };
  expect(secretsIn(env)).toEqual(['key-12345678', 'token-123456', 'pass-12345']);
});

it.each([
  ['sent key-12345678 there', 'sent *** there'],
  ['{"key":"with \\"quotes\\" in it"}', '{"key":"***"}'],
  ['cannot read https://me:pass@word@host/x and s3://b/k', 'cannot read https://***@host/x and s3://b/k'],
  ['kafka://user:hush@broker:9092/p', 'kafka://***@broker:9092/p'],
  ['authorization: Bearer abc.def-123456', 'authorization: Bearer ***'],
  ['mail me@example.org about https://host/a?b=@', 'mail me@example.org about https://host/a?b=@'],
])('%s is shown as %s', (text, shown) => {
  expect(masked(text, ['key-12345678', 'with "quotes" in it'])).toBe(shown);
});

it('a logger writes none, wherever they stand', () => {
  const lines: string[] = [];
  const logger = createLogger('test', 'info', { write: (line) => void lines.push(line) }, ['key-12345678']);
  const error = new Error('refused key-12345678', { cause: new Error('https://a:b@c/') });
  logger.warn({ err: error, deep: { list: ['key-12345678'] } }, 'failed with key-12345678');
  expect(lines).toHaveLength(1);
  expect(lines[0]).not.toMatch(/key-12345678|a:b@/);
  expect(JSON.parse(lines[0]!)).toMatchObject({ msg: 'failed with ***' });
});
