import { describe, expect, it } from 'vitest';
import { Candidates } from './candidates.js';
import { QuestionCounts } from './question-counts.js';

const free = { maxShare: 1, freely: 1000 };

describe('Candidates', () => {
  it('takes the first text that is a question and an answer, and counts the others', () => {
    const candidates = new Candidates('chartqa', new QuestionCounts(free));
    ['no idea', 'Question: What is A? Answer: 3', 'Question: What is B? Answer: 4'].forEach((t) => candidates.offer(t));
    expect(candidates.chosen).toEqual({ question: 'What is A?', answer: '3' });
    expect(candidates.counts).toEqual({ written: 2, unparsable: 1, duplicate: 0, frequent: 0 });
  });

  it('passes over a question that the corpus has too often, in any wording', () => {
    const corpus = new QuestionCounts({ maxShare: 0, freely: 1 });
    corpus.add('textvqa', 'What does it say?');
    const candidates = new Candidates('textvqa', corpus);
    candidates.offer('What does it say? stop');
    candidates.offer('what does it say ? go');
    expect(candidates.reason).toBe('frequent-question');
    expect(candidates.counts).toEqual({ written: 2, unparsable: 0, duplicate: 1, frequent: 1 });
    expect(new Candidates('chartqa', corpus)).toMatchObject({ reason: 'unparsable-text' });
  });

  it('takes what was written elsewhere, however often it was asked', () => {
    const corpus = new QuestionCounts({ maxShare: 0, freely: 1 });
    corpus.add('okvqa', 'What is it?');
    const candidates = new Candidates('okvqa', corpus);
    candidates.take({ question: 'What is it?', answer: 'a lemon' });
    candidates.offer('What is that? a melon');
    expect(candidates.chosen).toEqual({ question: 'What is it?', answer: 'a lemon' });
    expect(candidates.counts).toEqual({ written: 1, unparsable: 0, duplicate: 0, frequent: 0 });
  });

  it('gives its question back to the corpus', () => {
    const corpus = new QuestionCounts({ maxShare: 0, freely: 1 });
    const first = new Candidates('okvqa', corpus);
    first.offer('What is it? a lemon');
    expect(corpus.allows('okvqa', 'What is it?')).toBe(false);
    first.takeBack();
    first.takeBack();
    expect(corpus.allows('okvqa', 'What is it?')).toBe(true);
  });
});

describe('QuestionCounts', () => {
  it('allows a share of the task, and a number in any case', () => {
    const corpus = new QuestionCounts({ maxShare: 0.25, freely: 2 });
    for (let i = 0; i < 12; i++) corpus.add('chartqa', `What is ${i + 100}?`);
    for (const allowed of [true, true, true, true, false]) {
      expect(corpus.allows('chartqa', 'What is A?')).toBe(allowed);
      if (allowed) corpus.add('chartqa', 'What is A?');
    }
    expect(corpus.allows('okvqa', 'What is A?')).toBe(true);
  });
});
