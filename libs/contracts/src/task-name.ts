import { tasks } from '@mpa/answer-metrics';
import type { Task as TaskName } from '@mpa/answer-metrics';
import { Task } from './gen/mpa/v1/records_pb.js';
import { RpcError } from './rpc-error.js';

const byName: Record<TaskName, Task> = {
  textvqa: Task.TEXTVQA,
  stvqa: Task.STVQA,
  chartqa: Task.CHARTQA,
  okvqa: Task.OKVQA,
};

/** A task as the contract writes it. */
export function taskOf(name: TaskName): Task {
  return byName[name];
}

/** A task's name. Throws RpcError INVALID_ARGUMENT when the message names none. */
export function taskName(task: Task): TaskName {
  const name = tasks.find((candidate) => byName[candidate] === task);
  if (name === undefined) {
    throw new RpcError('INVALID_ARGUMENT', `task ${task} is none of ${tasks.join(', ')}; set the field \`task\``);
  }
  return name;
}
