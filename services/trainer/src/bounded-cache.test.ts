import { describe, expect, it } from 'vitest';
import { BoundedCache } from './bounded-cache.js';

describe('BoundedCache', () => {
  it('lets go of what was used longest ago once it is full', () => {
    const cache = new BoundedCache<string>(10);
    cache.set(1, 'a', 4);
    cache.set(2, 'b', 4);
    expect(cache.get(1)).toBe('a');
    cache.set(3, 'c', 4);
    expect([1, 2, 3].map((key) => cache.get(key))).toEqual(['a', undefined, 'c']);
  });

  it('counts a value that is set again once, and keeps none that is larger than all of it', () => {
    const cache = new BoundedCache<string>(10);
    for (let i = 0; i < 5; i++) cache.set(1, 'a', 5);
    cache.set(2, 'b', 5);
    cache.set(3, 'c', 11);
    expect([1, 2, 3].map((key) => cache.get(key))).toEqual(['a', 'b', undefined]);
  });
});
