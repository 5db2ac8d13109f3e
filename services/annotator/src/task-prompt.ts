import { createHash } from 'node:crypto';
import type { Task } from '@mpa/answer-metrics';
import { annotationPrompt, PROMPT_VERSION } from '@mpa/prompts';

/** What the L-VLM is told for a task, and the name under which records refer to it. */
export interface TaskPrompt {
  /** `chartqa/1` for a built-in prompt, `chartqa/custom-<digest>` for a configured one. */
  readonly id: string;
  readonly text: string;
}

/** The prompt of a task: the configured one, or else the built-in one. */
export function taskPrompt(task: Task, configured: Partial<Readonly<Record<Task, string>>>): TaskPrompt {
  const text = configured[task];
  if (text === undefined) return { id: `${task}/${PROMPT_VERSION}`, text: annotationPrompt(task) };
  const digest = createHash('sha256').update(text).digest('hex').slice(0, 8);
  return { id: `${task}/custom-${digest}`, text };
}
