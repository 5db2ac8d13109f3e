import { describe, expect, it } from 'vitest';
import { formatAnnotation, parseAnnotation } from './annotation-format.js';

describe('parseAnnotation', () => {
  const pair = { question: 'What is on the sign?', answer: 'stop' };

  it.each([
    ['Question: What is on the sign? Answer: stop'],
    ['Question: What is on the sign?\nAnswer: stop.'],
    ['**Question:** What is on the sign?\n\n**Answer:** stop'],
    ['Q: What is on the sign?\nA: stop'],
    ['1. Question: What is on the sign? Answer: "stop"'],
    ['What is on the sign? stop'],
    ['What is on the sign?\nstop'],
    ['Question: What is on the sign\nAnswer: stop'],
    ['Question: What is on the sign? Answer: stop Question: What colour? Answer: red'],
    ['```\nQuestion: What is on the sign?\nAnswer: stop\n```'],
    ['Sure! Here is one.\n1. Question: "What is on the sign?"\n   Answer: "stop"'],
    ['Question 1: What is on the sign? Answer 1: stop Question 2: Is it red? Answer 2: yes'],
    ['```json\n{"question": "What is on the sign?", "answer": "stop"}\n```'],
    ['Question: What is on the sign? stop\nIt is red.'],
  ])('reads %j', (reply) => {
    expect(parseAnnotation(reply)).toEqual(pair);
  });

  it('reads what formatAnnotation writes', () => {
    const written = { question: 'How much is Q1?', answer: '3.5%' };
    expect(parseAnnotation(formatAnnotation(written))).toEqual(written);
  });

  it('keeps a colon and a sign in an answer', () => {
    expect(parseAnnotation('Question: When? Answer: 10:30')?.answer).toBe('10:30');
    expect(parseAnnotation('Question: How much? Answer: $4.50')?.answer).toBe('$4.50');
  });

  it('keeps words that merely look like markers', () => {
    const tricky = { question: 'What is the answer to the question on the board?', answer: 'a: b' };
    expect(parseAnnotation('Question: What is on plan A? Answer: b')).toEqual({
      question: 'What is on plan A?',
      answer: 'b',
    });
    expect(parseAnnotation(formatAnnotation({ ...tricky, answer: '42' }))?.question).toBe(tricky.question);
  });

  it.each([
    [''],
    ['Answer: stop'],
    ['Question: What is it?'],
    ['I cannot see any text.'],
    ['Question: Answer: stop'],
    ['Question: What is it? Answer: '],
    ['Question: ??? Answer: stop'],
    [`Question: What is it? Answer: ${'la '.repeat(100)}`],
  ])('gives nothing for %j', (reply) => {
    expect(parseAnnotation(reply)).toBeUndefined();
  });
});
