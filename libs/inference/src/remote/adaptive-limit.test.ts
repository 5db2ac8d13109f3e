import { describe, expect, it } from 'vitest';
import { AdaptiveLimit, type RequestEnd } from './adaptive-limit.js';

const forever = new AbortController().signal;

/** A clock that is set by hand, and rounds of requests that all are out together. */
function startLimit(first: number, most: number): { limit: AdaptiveLimit; round: (end: RequestEnd) => Promise<void> } {
  let now = 0;
  const limit = new AdaptiveLimit(first, most, () => now);
  return {
    limit,
    async round(end: RequestEnd): Promise<void> {
      const size = limit.limit;
      const leave = [];
      for (let i = 0; i < size; i++) leave.push(await limit.enter(forever));
      now += 1;
      for (const each of leave) each(end);
    },
  };
}

const answered = (seconds: number): RequestEnd => ({ kind: 'answered', seconds });

describe('AdaptiveLimit', () => {
  it('lets one more out after every round, up to the most', async () => {
    const { limit, round } = startLimit(2, 5);
    const seen: number[] = [];
    for (let i = 0; i < 5; i++) {
      await round(answered(1));
      seen.push(limit.limit);
    }
    expect(seen).toEqual([3, 4, 5, 5, 5]);
  });

  it('stays where it is while it is not used up', async () => {
    const { limit } = startLimit(4, 8);
    for (let i = 0; i < 20; i++) (await limit.enter(forever))(answered(1));
    expect(limit.limit).toBe(4);
  });

  it('halves once for all requests that were out when the server pushed back, and never goes below 1', async () => {
    const { limit, round } = startLimit(8, 8);
    await round({ kind: 'busy' });
    expect(limit.limit).toBe(4);
    for (let i = 0; i < 4; i++) await round({ kind: 'busy' });
    expect(limit.limit).toBe(1);
    await round(answered(1));
    expect(limit.limit).toBe(2);
  });

  it('takes a quarter off when answers become twice as slow, and gets used to a slower server', async () => {
    const { limit, round } = startLimit(8, 100);
    await round(answered(1));
    expect(limit.limit).toBe(9);
    await round(answered(1.9));
    expect(limit.limit).toBe(10);
    await round(answered(3));
    expect(limit.limit).toBe(7);
    for (let i = 0; i < 30; i++) await round(answered(3));
    const settled = limit.limit;
    await round(answered(3));
    expect(limit.limit).toBe(settled + 1);
  });

  it('lets a request in when another one leaves, in no more than there is room for', async () => {
    const { limit } = startLimit(1, 1);
    const leave = await limit.enter(forever);
    let entered = 0;
    const waiting = [0, 1].map(async () => {
      const done = await limit.enter(forever);
      entered += 1;
      return done;
    });
    leave({ kind: 'failed' });
    const second = await Promise.race(waiting);
    expect(entered).toBe(1);
    second({ kind: 'failed' });
    await Promise.all(waiting);
    expect(entered).toBe(2);
  });

  it('ends the waiting with the reason of the signal', async () => {
    const { limit } = startLimit(1, 1);
    await limit.enter(forever);
    const controller = new AbortController();
    const waiting = limit.enter(controller.signal);
    controller.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
  });
});
