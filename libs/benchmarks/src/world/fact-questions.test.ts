import { describe, expect, it } from 'vitest';
import { factQuestions } from './fact-questions.js';
import { hasIcon, ICON_STYLES } from './icons.js';
import { Random } from './random.js';
import { THINGS } from './things.js';

describe('THINGS', () => {
  it('have names of their own, short facts, and an icon', () => {
    expect(THINGS.length).toBeGreaterThanOrEqual(60);
    expect(new Set(THINGS.map(({ name }) => name)).size).toBe(THINGS.length);
    for (const { name, icon, facts } of THINGS) {
      expect([name, ICON_STYLES.some((style) => hasIcon(style, icon))]).toEqual([name, true]);
      for (const answers of Object.values(facts)) for (const answer of answers) expect(answer).toMatch(/^[a-z0-9 ]+$/);
    }
  });
});

describe('factQuestions', () => {
  it('are answered by facts about the things in the scene', () => {
    for (let seed = 0; seed < 300; seed++) {
      const random = new Random(`facts:${seed}`);
      const things = random.sample(THINGS, random.int(1, 3));
      for (const { question, answer } of factQuestions(random, things)) {
        const place = /on the left|in the middle|on the right/.exec(question)?.[0];
        const asked =
          place === 'on the left' ? things.slice(0, 1) : place === 'on the right' ? things.slice(-1) : things;
        const known = asked.flatMap(({ name, facts }) => [name, ...Object.values(facts).map(([first]) => first)]);
        expect(known).toContain(answer);
      }
    }
  });

  it('choose the only thing of which it is true', () => {
    const things = ['lemon', 'banana', 'carrot'].map(
      (name) => THINGS.find((thing) => thing.name === name) ?? THINGS[0]!,
    );
    const chosen = new Map<string, string>();
    for (let seed = 0; seed < 50; seed++) {
      for (const { question, answer } of factQuestions(new Random(`choice:${seed}`), things))
        chosen.set(question, answer);
    }
    expect(chosen.get('Which of these is a citrus fruit?')).toBe('lemon');
    expect(chosen.get('Which one is a vegetable?')).toBe('carrot');
    expect([...chosen.keys()]).not.toContain('Which one is a fruit?');
  });
});
