import { Writable } from 'node:stream';
import { duration } from '@mpa/console';
import { describe, expect, it } from 'vitest';
import { openProgress } from './progress.js';

function log(): { stream: NodeJS.WriteStream; lines: () => string[] } {
  const chunks: string[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk.toString());
      done();
    },
  });
  return { stream: stream as NodeJS.WriteStream, lines: () => chunks.join('').trimEnd().split('\n') };
}

describe('progress in a log', () => {
  it('tells rate and time left, by what was done since the start, every five seconds', () => {
    let now = 100;
    const { stream, lines } = log();
    const stage = openProgress(stream, () => now).stage('annotate', 50, 10);
    now += 2;
    stage.update(14);
    now += 4;
    stage.update(22, '20 annotated');
    now += 9;
    stage.update(50);
    stage.end();
    expect(lines()).toEqual([
      'annotate: 10 of 50 were done before',
      'annotate: 22/50, 2.0/s, 14s left, 20 annotated',
      'annotate: 50/50, 2.7/s, 15s',
    ]);
  });
});

describe('duration', () => {
  it.each([
    [0.2, '0s'],
    [59.6, '1m00s'],
    [200, '3m20s'],
    [7505, '2h05m'],
  ])('%d seconds are %s', (seconds, words) => expect(duration(seconds)).toBe(words));
});
