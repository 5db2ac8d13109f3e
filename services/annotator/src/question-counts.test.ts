import { describe, expect, it } from 'vitest';
import { QuestionCounts } from './question-counts.js';

describe('QuestionCounts', () => {
  it('allows any share when the largest share is 1', () => {
    const counts = new QuestionCounts({ maxShare: 1, freely: 1 });
    for (let i = 0; i < 20; i++) {
      expect(counts.allows('okvqa', 'What is this?')).toBe(true);
      counts.add('okvqa', 'What is this?');
    }
  });

  it('keeps a question to its share, counting wordings that normalise alike as one', () => {
    const counts = new QuestionCounts({ maxShare: 0.25, freely: 1 });
    for (const question of ['a?', 'b?', 'c?', 'd?', 'e?', 'f?']) counts.add('chartqa', question);
    expect(counts.allows('chartqa', 'A ?')).toBe(false); // 2 of 7 would be more than a quarter
    counts.add('chartqa', 'g?');
    expect(counts.allows('chartqa', 'b?')).toBe(true); // 2 of 8
    expect(counts.allows('textvqa', 'b?')).toBe(true);
  });

  it('keeps a frequent question to its share among more questions than it can tell apart', () => {
    const counts = new QuestionCounts({ maxShare: 0.1, freely: 1 }, 100);
    let asked = 0;
    for (let i = 0; i < 20_000; i++) {
      const frequent = counts.allows('okvqa', 'What is this?');
      counts.add('okvqa', frequent ? 'What is this?' : `What is number ${i}?`);
      if (frequent) asked += 1;
    }
    // A count is too small by 2 / 100 of all at most.
    expect(asked / 20_000).toBeGreaterThan(0.099);
    expect(asked / 20_000).toBeLessThan(0.12);
  });
});
