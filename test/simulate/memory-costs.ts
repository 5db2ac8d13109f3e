import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { create, DecisionSchema, DecisionStatus, Task } from '@mpa/contracts';
import { topics } from '@mpa/service-kit';
import { IdTable } from '@mpa/streams';
import type { MemoryCosts } from './breaking-points.js';

const DECISIONS = 20_000;
const IDS = 2 ** 20;
const GRID = 8;

/** Measures what ids and decisions take in this process's memory. */
export function measureMemory(): MemoryCosts {
  return {
    idBytes: idTableBytes(IDS) / IDS,
    decisionBytes: grownBy(DECISIONS, () => Array.from({ length: DECISIONS }, (_, i) => decision(i))),
  };
}

/** Bytes that a table of so many ids takes. */
export function idTableBytes(count: number): number {
  const ids = new IdTable();
  for (let i = 0; i < count; i++) ids.add(`sample ${i}`);
  return ids.bytes;
}

/** Bytes for each of `count` that are there as long as what `make` returns. */
function grownBy(count: number, make: () => unknown): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const used = (): number => {
    collect();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  const before = used();
  const kept = [make()];
  const bytes = (used() - before) / count;
  kept.pop();
  return bytes;
}

/** A selected decision with both models' confidence and attention, as it comes from its topic. */
function decision(i: number): object {
  const id = `${i}`.padStart(32, '0');
  const signals = {
    answerLogProbabilityPerCharacter: -0.1,
    attention: { grid: GRID, cells: new Array<number>(GRID ** 2).fill(1 / GRID ** 2) },
  };
  const text = { question: `What stands on the sign number ${i}?`, answer: `number ${i}`, selfCheck: `number ${i}` };
  const image = { uri: `s3://corpus/images/${id}.jpg`, path: `images/${id}.jpg` };
  const status = DecisionStatus.SELECTED;
  const both = { signals, studentSignals: signals, studentAnswer: 'something else', studentModelId: 'small' };
  const made = create(DecisionSchema, { sampleId: id, runId: 'run', task: Task.OKVQA, image, status, weight: 1, ...text, ...both }); // prettier-ignore
  const { value } = topics.decisions.record(id, made);
  return topics.decisions.decode({
    ...{ topic: '', partition: 0, offset: 0, key: id, id, headers: {}, timestamp: 0 },
    value,
  });
}
