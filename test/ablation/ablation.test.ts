import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { create, DecisionSchema, DecisionStatus, taskOf } from '@mpa/contracts';
import type { Decision } from '@mpa/contracts';
import { describe, expect, it } from 'vitest';
import { withNoise } from './noise.js';
import { report } from './report.js';
import { Results } from './results.js';
import { all, rehearsed, rows, selected } from './rows.js';
import { aboveProbability, meanAndInterval } from './statistics.js';

const docs = fileURLToPath(new URL('../../docs', import.meta.url));

function decision(i: number, answer: string, studentAnswer: string, selfCheck = answer): Decision {
  const selects = answer === selfCheck && studentAnswer !== answer;
  return create(DecisionSchema, {
    ...{
      sampleId: `chartqa-${i}`,
      task: taskOf('chartqa'),
      question: 'What is drawn?',
      answer,
      selfCheck,
      studentAnswer,
    },
    status: selects ? DecisionStatus.SELECTED : DecisionStatus.REJECTED,
    cause: { reason: selects ? 'student_differs' : answer === selfCheck ? 'student_agrees' : 'teacher_disagrees_with_itself' }, // prettier-ignore
    weight: selects ? 1 : 0,
  });
}

const decisions = Array.from({ length: 400 }, (_, i) =>
  decision(i, `word${i}`, i % 2 ? 'another' : `word${i}`, i % 10 === 3 ? 'unsure' : `word${i}`),
);

describe('what the rows learn from', () => {
  const material = { decisions, truth: [] };
  it('is the gap, the gap and what is known, everything, or as much at random', () => {
    expect(selected(material)).toHaveLength(160);
    expect(rehearsed(material)).toHaveLength(360);
    expect(all(material)).toHaveLength(400);
    for (const chosen of [rehearsed(material), all(material)]) {
      expect(chosen.every(({ status, weight }) => status === DecisionStatus.SELECTED && weight === 1)).toBe(true);
    }
    const random = rows.find(({ key }) => key === 'c')!.decisions;
    expect(random(material, 1)).toHaveLength(160);
    expect(random(material, 1)).toEqual(random(material, 1));
    expect(random(material, 1)).not.toEqual(random(material, 2));
  });
});

describe('noise', () => {
  it('spoils that share of the answers, and the self-check refuses them', () => {
    const { decisions: noisy, wrong } = withNoise(decisions, 0.3, 1);
    expect(wrong.size / decisions.length).toBeCloseTo(0.3, 1);
    const changed = noisy.filter(({ answer }, i) => answer !== decisions[i]!.answer);
    expect(new Set(changed.map(({ sampleId }) => sampleId))).toEqual(wrong);
    expect(changed.every(({ cause }) => cause!.reason === 'teacher_disagrees_with_itself')).toBe(true);
    expect(withNoise(decisions, 0, 1).decisions).toEqual(decisions);
  });
});

describe('the report', () => {
  it('is what its results say', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mpa-ablation-'));
    copyFileSync(join(docs, 'results.md'), join(folder, 'results.md'));
    const results = await Results.open(join(docs, 'results.jsonl'));
    await report(results, 2000, folder);
    for (const name of ['results.md', 'results.jsonl']) {
      expect(readFileSync(join(folder, name), 'utf8')).toBe(readFileSync(join(docs, name), 'utf8'));
    }
    for (const name of ['ablation.png', 'sweep.png']) {
      expect(
        readFileSync(join(folder, 'images', name))
          .subarray(1, 4)
          .toString(),
      ).toBe('PNG');
    }
    rmSync(folder, { recursive: true });
  });

  it('tells two groups apart as far as one is above the other', () => {
    expect(aboveProbability([3, 4], [1, 2])).toBe(1);
    expect(aboveProbability([1, 2], [1, 2])).toBe(0.5);
    expect(aboveProbability([1], [2, 3, 0])).toBeCloseTo(1 / 3, 12);
  });

  it('gives intervals by Student', () => {
    // t(0.975, 4) = 2.776; deviation of 1..5 is sqrt(2.5)
    const { mean, half } = meanAndInterval([1, 2, 3, 4, 5]);
    expect(mean).toBe(3);
    expect(half).toBeCloseTo(2.776 * Math.sqrt(2.5 / 5), 9);
  });
});
