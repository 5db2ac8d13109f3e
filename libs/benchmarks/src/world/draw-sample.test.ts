import { describe, expect, it } from 'vitest';
import { drawSample } from './draw-sample.js';
import { tasks, type Task } from '@mpa/answer-metrics';
import { IMAGE_SIZE, type DrawnSample } from './drawn-sample.js';
import { samplePixels } from './sample-pixels.js';
import { splitOf, type Split } from './split.js';

const draw = (task: Task, split: Split, count: number): Promise<DrawnSample[]> =>
  Promise.all(Array.from({ length: count }, (_, seed) => drawSample(task, split, seed)));

/** What every split may write: numbers of two digits, the steps of an axis, years, months, quarters. */
const COMMON =
  /^(\d\d|100|150|200|250|500|750|1000|(19|20)\d\d|q[1-4]|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)$/;

describe.each(tasks)('drawSample %s', (task) => {
  it('gives the same bytes and questions for the same seed, and others for another', async () => {
    const [first, other] = [await drawSample(task, 'train', 7), await drawSample(task, 'train', 8)];
    const [again] = await Promise.all([drawSample(task, 'train', 7), drawSample(task, 'test', 7)]);
    expect(Buffer.compare(first.pixels, again.pixels)).toBe(0);
    expect(first.questions).toEqual(again.questions);
    expect(first.glyphs).toEqual(again.glyphs);
    expect(Buffer.compare(first.pixels, other.pixels)).not.toBe(0);
  });

  it('draws another image for the other split', async () => {
    const [train, test] = [await drawSample(task, 'train', 7), await drawSample(task, 'test', 7)];
    expect(Buffer.compare(train.pixels, test.pixels)).not.toBe(0);
  });

  it('knows each character it drew and where', async () => {
    for (const { glyphs, texts, objects } of await draw(task, 'train', 25)) {
      for (const { char, index, item, box } of glyphs) {
        expect(texts[item]?.[index]).toBe(char);
        expect(box.w).toBeGreaterThan(0);
        expect(box.h).toBeGreaterThan(0);
      }
      for (const { box } of [...glyphs, ...objects]) {
        expect(box.x).toBeGreaterThanOrEqual(0);
        expect(box.y).toBeGreaterThanOrEqual(0);
        expect(box.x + box.w).toBeLessThanOrEqual(IMAGE_SIZE);
        expect(box.y + box.h).toBeLessThanOrEqual(IMAGE_SIZE);
      }
      expect(glyphs.length).toBe(texts.join('').length);
    }
  });

  it('asks questions with the answers that its benchmark has', async () => {
    for (const { questions } of await draw(task, 'test', 25)) {
      expect(questions.length).toBeGreaterThanOrEqual(task === 'stvqa' ? 1 : 2);
      expect(new Set(questions.map(({ question }) => question)).size).toBe(questions.length);
      for (const { question, answer, answers } of questions) {
        expect(question).toMatch(/^[A-Z].*\?$/);
        expect(answer).toBe(answer.toLowerCase());
        expect(answers).toHaveLength(task === 'textvqa' || task === 'okvqa' ? 10 : 1);
        expect(answers.filter((one) => one === answer).length).toBeGreaterThanOrEqual(answers.length > 1 ? 5 : 1);
      }
    }
  });
});

describe('words and numbers', () => {
  it.each(['textvqa', 'stvqa', 'chartqa'] as const)('of %s belong to the split of the image', async (task) => {
    for (const split of ['train', 'test'] as const) {
      for (const { transcription, texts } of await draw(task, split, 25)) {
        const written = new Set(texts.map((text) => text.toLowerCase()));
        for (const text of transcription.split(/, | /)) {
          if (written.has(text) && !COMMON.test(text)) expect([text, splitOf(text)]).toEqual([text, split]);
        }
      }
    }
  });
});

describe('answers', () => {
  it.each(['textvqa', 'stvqa'] as const)('of %s are among what is written', async (task) => {
    for (const { questions, texts } of await draw(task, 'train', 40)) {
      const written = texts.map((text) => text.toLowerCase());
      for (const { question, answer } of questions) {
        if (/first|last/.test(question))
          expect(written.some((text) => text.startsWith(answer) || text.endsWith(answer))).toBe(true);
        else expect(written).toContain(answer);
      }
    }
  });

  it('of stvqa follow the places that the questions name', async () => {
    for (const { questions, texts, glyphs } of await draw('stvqa', 'train', 40)) {
      const middle = (answer: string): { x: number; y: number } => {
        const boxes = glyphs.filter(({ item }) => texts[item]?.toLowerCase() === answer).map(({ box }) => box);
        const mean = (values: number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
        return { x: mean(boxes.map((b) => b.x + b.w / 2)), y: mean(boxes.map((b) => b.y + b.h / 2)) };
      };
      if (new Set(texts.map((text) => text.toLowerCase())).size < texts.length) continue;
      const others = texts.map((text) => middle(text.toLowerCase()));
      for (const { question, answer } of questions) {
        const { x, y } = middle(answer);
        if (/ left /.test(question)) expect(x).toBe(Math.min(...others.map((o) => o.x)));
        if (/ right /.test(question)) expect(x).toBe(Math.max(...others.map((o) => o.x)));
        if (/ top /.test(question)) expect(y).toBe(Math.min(...others.map((o) => o.y)));
        if (/ bottom /.test(question)) expect(y).toBe(Math.max(...others.map((o) => o.y)));
      }
    }
  });
});

describe('legibility', () => {
  it.each([
    ['textvqa', 20],
    ['stvqa', 16],
    ['chartqa', 17],
  ] as const)('of %s: capitals and digits are at least %d pixels high', async (task, least) => {
    for (const { glyphs } of await draw(task, 'test', 40)) {
      for (const { char, box } of glyphs) if (/[A-Z0-9]/.test(char)) expect(box.h).toBeGreaterThanOrEqual(least);
    }
  });
});

describe('samplePixels', () => {
  it('averages squares of the image', async () => {
    const sample = await drawSample('okvqa', 'train', 1);
    const half = samplePixels(sample, 128);
    expect(half).toHaveLength(128 * 128 * 3);
    const at = (x: number, y: number): number => sample.pixels[(y * IMAGE_SIZE + x) * 3 + 1] ?? 0;
    const mean = (at(20, 40) + at(21, 40) + at(20, 41) + at(21, 41)) / 4;
    expect(half[(20 * 128 + 10) * 3 + 1]).toBe(Math.round(mean));
    expect(() => samplePixels(sample, 100)).toThrow(RangeError);
  });
});
