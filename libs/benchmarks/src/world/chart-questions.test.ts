import { describe, expect, it } from 'vitest';
import { drawChartData } from './chart-data.js';
import { chartQuestions } from './chart-questions.js';
import { drawColours } from './colours.js';
import { Random } from './random.js';

/** Answers a question from the data by other means than the question maker: by what its text says. */
function expected(question: string, { labels, values, colours }: ReturnType<typeof drawChartData>): string {
  const named = labels.map((label, i) => ({ label, value: values[i] ?? 0, colour: colours[i]?.name }));
  const mentioned = named.filter(({ label }) => new RegExp(`\\b${label}\\b`).test(question));
  const sorted = [...named].sort((a, b) => a.value - b.value);
  if (question.startsWith('How many')) return String(labels.length);
  if (/^What color (is the line|are)/.test(question)) return colours[0]?.name ?? '';
  if (question.startsWith('What color')) return mentioned[0]?.colour ?? '';
  const [low, high] = [/lowest|smallest|minimum/.test(question), /highest|largest|maximum/.test(question)];
  if (low || high) {
    const end = low ? sorted[0] : sorted.at(-1);
    return /^What is the \w+ value/.test(question) ? String(end?.value) : (end?.label ?? '').toLowerCase();
  }
  if (question.includes('difference')) return String(Math.abs((mentioned[0]?.value ?? 0) - (mentioned[1]?.value ?? 0)));
  if (question.includes('sum')) return String((mentioned[0]?.value ?? 0) + (mentioned[1]?.value ?? 0));
  const coloured = named.find(({ colour }) => colour !== undefined && new RegExp(`the ${colour} `).test(question));
  if (coloured) return question.startsWith('Which') ? coloured.label.toLowerCase() : String(coloured.value);
  const shown = /^Which .* (\d+)\?$/.exec(question)?.[1];
  if (shown !== undefined) return (named.find(({ value }) => String(value) === shown)?.label ?? '').toLowerCase();
  return String(mentioned[0]?.value);
}

describe('chartQuestions', () => {
  it('are answered by what the chart shows', () => {
    for (let seed = 0; seed < 300; seed++) {
      const random = new Random(`chart:${seed}`);
      const data = drawChartData(random, seed % 2 ? 'train' : 'test', (count) => drawColours(random, count));
      if (data.kind === 'line') expect(data.colours).toHaveLength(1);
      expect(data.values).toHaveLength(data.labels.length);
      for (const { question, answer } of chartQuestions(random, data)) {
        expect([question, answer]).toEqual([question, expected(question, data)]);
      }
    }
  });
});
