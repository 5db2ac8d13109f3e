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
  ])('reads %j', (reply) => {
    expect(parseAnnotation(reply)).toEqual(pair);
  });

  it('reads what formatAnnotation writes', () => {
    const written = { question: 'How much is Q1?', answer: '3.5%' };
    expect(parseAnnotation(formatAnnotation(written))).toEqual(written);
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
  ])('gives nothing for %j', (reply) => {
    expect(parseAnnotation(reply)).toBeUndefined();
  });
});
