import type { Task } from '@mpa/answer-metrics';

/** Goes into every annotation record: raise it when a text below changes. */
export const PROMPT_VERSION = 1;

const PROMPTS: Readonly<Record<Task, string>> = {
  chartqa: 'Write a question about this chart and answer it.',
  textvqa: 'Write a question about the text on this and answer it.',
  stvqa: 'Write a question about one text in this scene and answer it.',
  okvqa: 'Write a question that needs a known fact and answer it.',
};

/** What the L-VLM is told, below an image, to make a question and an answer for a task. */
export function annotationPrompt(task: Task): string {
  return PROMPTS[task];
}

/** What a model is told, below an image, to answer a question: the question, as the benchmarks put it. */
export function answerPrompt(question: string): string {
  return question;
}
