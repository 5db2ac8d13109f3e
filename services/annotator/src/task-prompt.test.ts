import { annotationPrompt, PROMPT_VERSION } from '@mpa/prompts';
import { expect, it } from 'vitest';
import { taskPrompt } from './task-prompt.js';

it('names the version of a built-in prompt and the digest of a configured one', () => {
  expect(taskPrompt('chartqa', {})).toEqual({ id: `chartqa/${PROMPT_VERSION}`, text: annotationPrompt('chartqa') });
  const [one, other] = ['Ask!', 'Ask something!'].map((chartqa) => taskPrompt('chartqa', { chartqa }));
  expect(one!.text).toBe('Ask!');
  expect(one!.id).toMatch(/^chartqa\/custom-[0-9a-f]{8}$/);
  expect(other!.id).not.toBe(one!.id);
});
