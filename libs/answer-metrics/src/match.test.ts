import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { matches } from './match.js';
import { relaxedAccuracy } from './relaxed-accuracy.js';
import { tasks, type Task } from './task.js';

const fragment = fc.oneof(
  fc.constantFrom('no', 'nokia', 'the', 'a', 'two', 'twenty', 'million', '%', '$', '-', ',', '.', ' ', '!', 'é', '10'),
  fc.string({ maxLength: 4, unit: 'grapheme' }),
  fc.integer({ min: -3000, max: 3000 }).map(String),
);
const answer = fc.array(fragment, { maxLength: 6 }).map((parts) => parts.join(''));
const task = fc.constantFrom(...tasks);
const word = fc.stringMatching(/^[b-z]{2,12}$/);

function check(expected: boolean, names: readonly Task[], pairs: readonly (readonly [string, string])[]) {
  for (const name of names) {
    for (const [a, b] of pairs) {
      expect({ name, a, b, matches: matches(name, a, b) }).toEqual({ name, a, b, matches: expected });
      expect({ name, a, b, matches: matches(name, b, a) }).toEqual({ name, a, b, matches: expected });
    }
  }
}

describe('for every task', () => {
  test('an answer matches itself', () => {
    fc.assert(fc.property(task, answer, (name, a) => matches(name, a, a)));
  });

  test('order makes no difference', () => {
    fc.assert(fc.property(task, answer, answer, (name, a, b) => matches(name, a, b) === matches(name, b, a)));
  });

  test('case, punctuation at the ends and a leading article make no difference', () => {
    fc.assert(
      fc.property(task, word, fc.constantFrom('', '.', '!', '"'), (name, a, mark) =>
        matches(name, a, ` The ${a.toUpperCase()}${mark}`),
      ),
    );
  });

  test('a part of an answer is not the answer', () => {
    fc.assert(
      fc.property(task, word, word, (name, a, rest) => {
        fc.pre(a.length + rest.length < 10);
        return !matches(name, a, a + rest) && !matches(name, a, rest + a);
      }),
    );
  });

  test('the same answer in other words', () => {
    check(true, tasks, [
      ['1,000', '1000'],
      ['1,234,567', '1234567'],
      ['12%', '12'],
      ['12%', '12 percent'],
      ['12 per cent', '12 %'],
      ['$5', '5'],
      ['$5', '5 dollars'],
      ['-$5', '$-5'],
      ['\u22125', '-5'],
      ['$1.50', '1.5'],
      ['.5', '0.5'],
      ['two', '2'],
      ['none', '0'],
      ['twenty-one', '21'],
      ['2.3 million', '2300000'],
      ['five thousand dollars', '$5,000'],
      ['ice cream', 'Icecream'],
      ['a cat', 'cat.'],
      ['A', 'a'],
      ["don't", 'dont'],
      ['salt & pepper', 'salt and pepper'],
      ['5kg', '5 KG'],
      ['\u00bd', '1/2'],
      ['\uff11\uff12', '12'],
    ]);
  });

  test('other answers that look alike', () => {
    check(false, tasks, [
      ['no', 'nokia'],
      ['no', 'know'],
      ['1', '2010'],
      ['1 2', '12'],
      ['-5', '5'],
      ['1.5', '15'],
      ['$5', '\u20ac5'],
      ['12%', '$12'],
      ['7 up', '7 down'],
      ['stop', 'shop'],
      ['route 66', 'route 65'],
      ['vitamin a', 'vitamin'],
      ['10.10.2020', '10.1.2020'],
      ['1985', '1986'],
      ['', 'cat'],
      ['?', '!'],
      ['yes', 'no'],
    ]);
  });
});

describe('textvqa and okvqa', () => {
  test('numbers are equal or not', () => check(false, ['textvqa', 'okvqa'], [['100', '101']]));
  test('a unit belongs to the answer', () => check(false, ['textvqa', 'okvqa', 'stvqa'], [['7 up', '7']]));
  test('a slip of a letter counts', () => {
    check(false, ['textvqa', 'okvqa'], [['international airport', 'internatianal airport']]);
  });
});

describe('stvqa', () => {
  test('forgives one slip in ten letters', () => {
    check(true, ['stvqa'], [['international airport', 'internatianal airport']]);
    check(false, ['stvqa'], [['coffee', 'toffee']]);
  });

  test('but none in a digit', () => check(false, ['stvqa'], [['call 0800 123456 today', 'call 0800 123457 today']]));
});

describe('chartqa', () => {
  test('forgives 5 % of the larger number', () => {
    check(
      true,
      ['chartqa'],
      [
        ['100', '105'],
        ['100', '95'],
        ['12%', '12.3%'],
        ['0.12', '12%'],
        ['5 million', '5.1 million'],
        ['$3,000', '3100'],
      ],
    );
    check(
      false,
      ['chartqa'],
      [
        ['100', '106'],
        ['0', '0.01'],
        ['-100', '100'],
        ['12%', '14%'],
      ],
    );
  });

  test('forgives a missing unit, not another one', () => {
    check(true, ['chartqa'], [['5 kg', '5']]);
    check(false, ['chartqa'], [['5 kg', '5 lb']]);
  });

  test('years are names, not amounts', () => {
    check(false, ['chartqa'], [['2010', '2011']]);
    check(
      true,
      ['chartqa'],
      [
        ['2,010', '2,011'],
        ['2010', '2011.5'],
        ['2010', '2010.'],
      ],
    );
  });

  test('lists are compared as wholes', () => {
    check(true, ['chartqa'], [['[2014, 2016]', '2014 and 2016']]);
    check(false, ['chartqa'], [['2014, 2016', '2014']]);
  });

  test('whatever the metric accepts either way matches, but for years', () => {
    const number = fc.double({ min: -500, max: 500, noNaN: true }).map((value) => value.toFixed(2));
    fc.assert(
      fc.property(number, number, fc.constantFrom('', '%'), (a, b, sign) => {
        const accepted = relaxedAccuracy(a + sign, [b]) === 1 || relaxedAccuracy(a, [b]) === 1;
        return !accepted || matches('chartqa', a + sign, b) || matches('chartqa', a, b);
      }),
    );
  });
});
