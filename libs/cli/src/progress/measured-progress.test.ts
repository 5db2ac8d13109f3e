import { Metrics } from '@mpa/service-kit';
import { expect, it } from 'vitest';
import { measuredProgress } from './measured-progress.js';
import { openProgress } from './progress.js';

const OWED = /^mpa_stage_owed_records\{stage="(\w+)"\} (\d+)$/gm;

function start() {
  const lines: string[] = [];
  const stream = { isTTY: false, write: (line: string) => lines.push(line) } as unknown as NodeJS.WriteStream;
  const metrics = new Metrics('align');
  const owed = async (): Promise<Record<string, number>> => {
    const found = [...(await metrics.registry.metrics()).matchAll(OWED)];
    return Object.fromEntries(found.map(([, stage, records]) => [stage!, Number(records)]));
  };
  return { progress: measuredProgress(openProgress(stream), metrics), owed, lines };
}

it('tells what a run waits for from each service, from the beginning to the end of a stage, and shows the stage', async () => {
  const { progress, owed, lines } = start();
  expect(await owed()).toEqual({});
  const annotate = progress.stage('annotate', 10, 4);
  const decide = progress.stage('decide', 0);
  expect(await owed()).toEqual({ annotator: 6, parity: 0 });
  annotate.resize(20);
  annotate.update(15, '12 annotated');
  decide.resize(12);
  decide.update(5);
  expect(await owed()).toEqual({ annotator: 5, parity: 7 });
  annotate.end();
  decide.end();
  expect(await owed()).toEqual({ annotator: 0, parity: 0 });
  const evaluate = progress.stage('evaluate chartqa', 3);
  expect(await owed()).toMatchObject({ evaluator: 3 });
  evaluate.end();
  expect(lines.join('')).toContain('annotate: 15/20');
});

it('leaves alone what no service does', async () => {
  const { progress, owed } = start();
  progress.stage('import', 10).update(3);
  expect(await owed()).toEqual({});
});
