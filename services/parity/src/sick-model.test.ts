import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { AnnotationSchema, AnnotationStatus, create, createClient, Task, WorkerService } from '@mpa/contracts';
import { OnnxModel } from '@mpa/onnx';
import { createLogger, startInProcess, topics } from '@mpa/service-kit';
import { openEmbeddedStreams } from '@mpa/streams';
import { afterAll, expect, it, vi } from 'vitest';
import { parity } from './parity.js';

const checkpoint = fileURLToPath(new URL('../../../test/fixtures/vlm/smolvlm-a/', import.meta.url));
const work = mkdtempSync(join(tmpdir(), 'mpa-sick-parity-'));
const streams = openEmbeddedStreams(join(work, 'streams'), { partitions: 1 });
afterAll(async () => {
  vi.restoreAllMocks();
  await streams.close();
  rmSync(work, { recursive: true });
});

/** Has a new service decide about what nobody has decided about, until there are `wanted` decisions. */
async function decide(wanted: number, meanwhile: (decided: number) => void = () => undefined): Promise<void> {
  const model = { checkpoint, cacheDir: join(work, 'graphs'), maxNewTokens: 8, threads: 1 };
  const openStreams = () => ({ streams, release: () => Promise.resolve() });
  const running = await startInProcess(parity, { model, batch: 1 }, { logger: createLogger('test', 'silent'), openStreams }); // prettier-ignore
  const worker = createClient(WorkerService, running.address);
  try {
    for await (const report of worker.consume({ streams: work })) {
      void report;
      const decided = await streams.count(topics.decisions.name);
      meanwhile(decided);
      if (decided === wanted) break;
    }
  } finally {
    worker.close();
    await running.stop();
  }
}

it('an S-VLM that fails at everything decides about nothing', async () => {
  const uri = pathToFileURL(join(checkpoint, 'images/case0_0_0.png')).href;
  const annotations = ['a', 'b', 'c', 'd', 'e', 'f'].map((sampleId) =>
    create(AnnotationSchema, {
      ...{ sampleId, runId: 'r', task: Task.OKVQA, status: AnnotationStatus.ANNOTATED, image: { uri } },
      ...{ question: 'Where is the triangle?', answer: 'a lemon', selfCheck: 'a lemon' },
    }),
  );
  await streams.producer.send(
    topics.annotations.name,
    annotations.map((annotation) => topics.annotations.record(annotation.sampleId, annotation)),
  );
  let isSick = false;
  const { encodeImage } = OnnxModel.prototype;
  vi.spyOn(OnnxModel.prototype, 'encodeImage').mockImplementation(async function (this: OnnxModel, images) {
    if (isSick) throw new Error('CUDA failure 719');
    return encodeImage.call(this, images);
  });
  const broken = decide(annotations.length, (decided) => (isSick = decided >= 2));
  await expect(broken).rejects.toMatchObject({
    code: 'FAILED_PRECONDITION',
    message: expect.stringMatching(/smolvlm-a does not work: it fails at what it could do before/) as string,
  });
  const before = await streams.count(topics.decisions.name);
  expect(before).toBeGreaterThanOrEqual(2);
  expect(before).toBeLessThan(annotations.length);

  isSick = false;
  await decide(annotations.length);
  const reasons = new Map<string, string>();
  for await (const { message } of topics.decisions.read(streams)) reasons.set(message.sampleId, message.cause!.reason);
  expect([...reasons.keys()].sort()).toEqual(annotations.map(({ sampleId }) => sampleId));
  expect(new Set(reasons.values())).toEqual(new Set(['student_differs']));
});
