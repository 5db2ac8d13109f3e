import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { create, DecisionSchema, DecisionStatus, Task } from '@mpa/contracts';
import type { Decision } from '@mpa/contracts';
import { topics } from '@mpa/service-kit';
import { openEmbeddedStreams } from '@mpa/streams';

/** A SmolVLM with random weights, and images of its size. */
export const CHECKPOINT = fileURLToPath(new URL('../../../test/fixtures/vlm/smolvlm-a/', import.meta.url));

export const RUN_ID = 'run-1';

const IMAGES = ['case0_0_0', 'case1_0_0', 'case2_0_0', 'case2_1_0', 'case2_1_1'];

const imageOf = (name: string): { uri: string; path: string } => ({
  uri: pathToFileURL(join(CHECKPOINT, 'images', `${name}.png`)).href,
  path: `${name}.png`,
});

/** A selected decision on one of the checkpoint's images. */
export function decision(id: number, fields: Partial<Omit<Decision, '$typeName'>> = {}): Decision {
  return create(DecisionSchema, {
    sampleId: `sample-${id}`,
    runId: RUN_ID,
    task: Task.CHARTQA,
    image: imageOf(IMAGES[id % IMAGES.length]!),
    status: DecisionStatus.SELECTED,
    question: `Which of the ${id} bars is it?`,
    answer: `the ${id}th`,
    weight: 1,
    ...fields,
  });
}

/** A decision on a file that does not hold an image, or that is not there. */
export async function brokenDecision(id: number, folder: string, content?: string): Promise<Decision> {
  const path = join(folder, `broken-${id}.png`);
  if (content !== undefined) await writeFile(path, content);
  return { ...decision(id), image: { ...decision(id).image!, uri: pathToFileURL(path).href } };
}

/** A new folder with the streams of a run that decided this. */
export async function newRun(decisions: (folder: string) => Promise<readonly Decision[]>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'mpa-trainer-'));
  const streams = openEmbeddedStreams(join(folder, 'streams'));
  const records = (await decisions(folder)).map((each) => topics.decisions.record(each.sampleId, each));
  await streams.producer.send(topics.decisions.name, records);
  await streams.close();
  return folder;
}
