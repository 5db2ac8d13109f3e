import { tasks, type Task } from '@mpa/answer-metrics';

/** The task whose results a file of `records` holds; undefined for other files. */
export function evaluatedTask(file: string): Task | undefined {
  return tasks.find((task) => file === `evaluation-${task}.jsonl`);
}
