import { describe, expect, it } from 'vitest';
import { Budget, type Tokens } from './budget.js';
import { NO_USAGE } from './usage.js';

const fresh = { usage: NO_USAGE, largest: NO_USAGE };
const tokens = (inputTokens: number, outputTokens = 0): Tokens => ({ inputTokens, outputTokens });

describe('Budget', () => {
  it('counts requests as they go out, those of earlier sessions included', () => {
    const budget = new Budget({ budget: { requests: 3 } }, { ...fresh, usage: { ...NO_USAGE, requests: 1 } });
    budget.take();
    budget.take();
    expect(() => budget.take()).toThrow(/budget of 3 requests is used up .*so far 3 requests.*--max-requests/);
  });

  it('takes every request that is out for as large as the largest', () => {
    const budget = new Budget({ budget: { tokens: 100 } }, fresh);
    budget.take()(tokens(20, 10));
    const out = [budget.take(), budget.take()];
    // 30 used, 60 expected of those that are out, 30 of the next.
    expect(() => budget.take()).toThrow(/100 tokens/);
    for (const spend of out) spend(tokens(5));
    budget.take();
  });

  it('is over when all is used, though nothing is known of how large requests are', () => {
    const used = { ...NO_USAGE, inputTokens: 100 };
    expect(() => new Budget({ budget: { tokens: 100 } }, { ...fresh, usage: used }).take()).toThrow(/used up/);
  });

  it('of cost goes by the prices of a million tokens', () => {
    const budget = new Budget({ budget: { cost: 1 }, prices: { input: 1, output: 4 } }, fresh);
    budget.take()(tokens(400_000, 50_000));
    expect(() => budget.take()(tokens(399_999))).toThrow(/budget of 1 is used up .*cost 0.600.*--max-cost/);
  });
});
