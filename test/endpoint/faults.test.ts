import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AnnotationStatus } from '@mpa/contracts';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { annotateRun, annotationsOf, drawImages, listRun, repliesOf, type ListedRun } from './annotate-images.js';
import { annotationOf, digestOf, faults, startChatServer, TOKENS, type ChatServer, type Fault, type SeenRequest } from './chat-server.js'; // prettier-ignore

const work = mkdtempSync(join(tmpdir(), 'mpa-endpoint-'));
const COUNT = 24;

/** Requests that find out what an endpoint can do, if it takes everything. */
const PROBES = 2;
let files: string[];
let digests: string[];
beforeAll(async () => {
  files = await drawImages(join(work, 'images'), COUNT);
  digests = files.map((file) => digestOf(`data:image/png;base64,${readFileSync(file).toString('base64')}`));
});
afterAll(() => rmSync(work, { recursive: true }));

let server: ChatServer;
let run: ListedRun;
let runs = 0;
async function start(manners: Parameters<typeof startChatServer>[0] = {}, images = files): Promise<void> {
  server = await startChatServer(manners);
  run = await listRun(join(work, `run-${runs++}`), images);
}
afterEach(async () => {
  await run.streams.close();
  await server.close();
});

/** Every request that the server saw is in the log's accounts, and each image is in the records once. */
async function expectCountsToAddUp(): Promise<void> {
  const annotations = await annotationsOf(run.streams);
  expect(annotations.map(({ sampleId }) => sampleId).sort()).toEqual([...run.ids].sort());
  expect(await requestsCounted()).toBe(server.seen.length);
}

async function requestsCounted(): Promise<number> {
  return (await repliesOf(run.streams)).reduce((sum, { requests }) => sum + requests, 0);
}

/** Images that every record is about rightly. */
async function expectAllAnnotated(): Promise<void> {
  for (const { sampleId, status, question, answer, selfCheck } of await annotationsOf(run.streams)) {
    const expected = annotationOf(digests[Number(sampleId.slice(1))]!);
    expect({ status, question, answer, selfCheck }).toEqual({ status: AnnotationStatus.ANNOTATED, ...expected, selfCheck: expected.answer }); // prettier-ignore
  }
}

/** Whether a request is about none of our images. */
const isProbe = (image: string): boolean => !digests.includes(image);

/** A share of the requests, spread as if at random, the same in every run of the test. */
const share =
  (every: number, kinds: readonly Fault[]) =>
  ({ index }: SeenRequest): Fault | undefined => {
    const draw = (index * 2654435761) % 4294967296;
    return draw / 4294967296 < 1 / every ? kinds[index % kinds.length] : undefined;
  };

describe('an endpoint that fails now and then', { timeout: 240_000 }, () => {
  it.each([...faults.map((fault) => [fault, [fault]] as const), ['all of these', faults] as const])(
    'loses and doubles no image: %s',
    async (_, kinds) => {
      const isSlow = kinds.includes('hang') || kinds.includes('drip');
      await start({ fault: share(3, kinds) }, isSlow ? files.slice(0, 8) : files);
      await annotateRun(run, { url: server.url, ...(isSlow && { traffic: { timeout: 1 } }) });
      await expectCountsToAddUp();
      await expectAllAnnotated();
      expect(server.seen.length).toBeGreaterThan(PROBES + 2 * run.ids.length);
    },
  );

  it('waits as long as it is asked to', async () => {
    let refusedAt = 0;
    let next = 0;
    await start(
      {
        refuse: ({ index }) => {
          if (index !== PROBES) {
            if (index > PROBES) next ||= performance.now();
            return undefined;
          }
          refusedAt = performance.now();
          return { status: 429, text: 'later', headers: { 'retry-after': '1' } };
        },
      },
      files.slice(0, 1),
    );
    await annotateRun(run, { url: server.url, traffic: { longestPause: 5 } });
    // Timers may fire up to a millisecond early.
    expect(next - refusedAt).toBeGreaterThan(990);
    await expectCountsToAddUp();
  });

  it('ends the run when it is asked to wait for longer than is worth it', async () => {
    await start({
      refuse: ({ index }) =>
        index < PROBES ? undefined : { status: 429, text: 'quota', headers: { 'retry-after': '86400' } },
    });
    await expect(annotateRun(run, { url: server.url })).rejects.toThrow(/quota.*86400 s/);
    expect(await annotationsOf(run.streams)).toEqual([]);
  });
});

describe('an endpoint that works no more', () => {
  it('ends the run at once when it lets nobody in, and does not tell the key', async () => {
    const env = { SECRET: 'sk-very-secret' };
    await start({ refuse: ({ authorization }) => ({ status: 401, text: `wrong key ${authorization}` }) });
    const failed = annotateRun(run, { url: server.url, keyVariable: 'SECRET' }, { env });
    await expect(failed).rejects.toThrow(/HTTP 401: wrong key Bearer \*\*\*; .* variable SECRET$/);
    expect(server.seen.map(({ authorization }) => authorization)).toEqual(['Bearer sk-very-secret']);
  });

  it.each([
    ['500', { status: 500, text: 'broken' }],
    ['404', { status: 404, text: 'no such model' }],
    ['429', { status: 429, text: 'no quota' }],
  ])('ends the run with one error, and the run goes on where it was: %s', async (_, refused) => {
    await start({ refuse: ({ index }) => (index < 20 ? undefined : refused) });
    await expect(annotateRun(run, { url: server.url })).rejects.toThrow(
      new RegExp(`does not answer: .*${refused.text}`),
    );
    for (const { status } of await annotationsOf(run.streams)) expect(status).toBe(AnnotationStatus.ANNOTATED);
    server.manners.refuse = () => undefined;
    await annotateRun(run, { url: server.url });
    await expectCountsToAddUp();
    await expectAllAnnotated();
    // What was answered before the end was not asked again.
    const answered = (await repliesOf(run.streams)).filter(({ purpose, failed }) => purpose !== 'probe' && !failed);
    expect(answered).toHaveLength(2 * COUNT);
  });

  it('ends the run when it refuses every image', async () => {
    await start({ refuse: ({ image }) => (isProbe(image) ? undefined : { status: 400, text: 'wrong field' }) });
    await expect(annotateRun(run, { url: server.url }, { batch: COUNT })).rejects.toThrow(
      /wrong field whatever the image/,
    );
  });
});

describe('an endpoint that cannot do with one image', () => {
  it('skips it with a reason and does the rest', async () => {
    const bad = new Map([
      [digests[1], { status: 400, text: 'image too strange' }],
      [digests[2], { status: 500, text: 'crash' }],
      [digests[3], { status: 400, text: 'content_filter' }],
      [digests[4], { status: 413, text: 'too large' }],
    ]);
    await start({
      refuse: ({ image }) => bad.get(image),
      fault: ({ image }) => (image === digests[5] ? 'truncated' : undefined),
      say: ({ image }) => (image === digests[6] ? 'I would rather not.' : undefined),
    });
    await annotateRun(run, { url: server.url });
    await expectCountsToAddUp();
    const skipped = (await annotationsOf(run.streams)).filter(({ status }) => status === AnnotationStatus.SKIPPED);
    expect(Object.fromEntries(skipped.map(({ sampleId, skipped: why }) => [sampleId, why!.reason]))).toEqual({
      ...{ s1: 'teacher-refused', s2: 'teacher-failed', s3: 'content-filter', s4: 'teacher-refused' },
      ...{ s5: 'unusable-reply', s6: 'unparsable-text' },
    });
    expect(skipped.find(({ sampleId }) => sampleId === 's1')!.skipped!.detail).toBe('HTTP 400: image too strange');
  });
});

describe('requests at once', () => {
  it('rise as long as the endpoint bears them, and fall when it does not', async () => {
    // 100 ms: much longer than what a loaded machine adds, so that answers do not seem to become slower.
    await start({ milliseconds: 100 });
    const bears = { before: Infinity, after: 1 };
    const turn = COUNT;
    server.manners.refuse = ({ active, index }) =>
      active > (index < turn ? bears.before : bears.after) ? { status: 429, text: 'busy' } : undefined;
    await annotateRun(run, { url: server.url, traffic: { first: 2, attempts: 20 } });
    await expectCountsToAddUp();
    await expectAllAnnotated();
    const most = (requests: readonly SeenRequest[]): number => Math.max(...requests.map(({ active }) => active));
    const peak = most(server.seen.slice(0, turn));
    expect(peak).toBeGreaterThan(3);
    expect(most(server.seen.slice(-COUNT / 2))).toBeLessThan(peak);
  });
});

describe('a budget', () => {
  it('of requests is used to the last, and a larger one goes on', async () => {
    await start();
    await expect(annotateRun(run, { url: server.url, budget: { requests: 17 } })).rejects.toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
      message: expect.stringMatching(/budget of 17 requests is used up .*--max-requests/) as string,
    });
    expect(server.seen).toHaveLength(17);
    await expect(annotateRun(run, { url: server.url, budget: { requests: 17 } })).rejects.toThrow(/used up/);
    expect(server.seen).toHaveLength(17);
    await annotateRun(run, { url: server.url, budget: { requests: PROBES + 2 * COUNT } });
    await expectCountsToAddUp();
    await expectAllAnnotated();
    expect(server.seen).toHaveLength(PROBES + 2 * COUNT);
  });

  it('of tokens or of cost is not passed, and nearly used up', async () => {
    await start();
    const used = async (): Promise<number> =>
      (await repliesOf(run.streams)).reduce((sum, reply) => sum + reply.inputTokens + reply.outputTokens, 0);
    const tokens = 1500;
    await expect(annotateRun(run, { url: server.url, budget: { tokens } })).rejects.toThrow(/--max-tokens/);
    // The largest request: an image and two answers to the probe.
    const largest = TOKENS.image + 2 * 11 * TOKENS.word;
    expect(await used()).toBeLessThanOrEqual(tokens);
    expect(await used()).toBeGreaterThan(tokens - 5 * largest);
    const prices = { input: 1000, output: 1000 };
    await expect(annotateRun(run, { url: server.url, prices, budget: { cost: 2 } })).rejects.toThrow(/--max-cost/);
    expect((await used()) / 1000).toBeLessThanOrEqual(2);
    await expect(annotateRun(run, { url: server.url, budget: { cost: 2 } })).rejects.toThrow(/prices/);
  });
});

describe('signals of an endpoint', () => {
  const signals = { nBest: { answers: 3 }, rationale: {} };

  it('are those that its probabilities give; the others are named', async () => {
    await start({}, files.slice(0, 3));
    await annotateRun(run, { url: server.url }, { signals });
    for (const { signals: given, answer, answerLogProbability, missingSignals } of await annotationsOf(run.streams)) {
      // Two words: -0.1 and -0.2.
      expect(answerLogProbability).toBeCloseTo(-0.3, 10);
      expect(given!.answerLogProbabilityPerCharacter).toBeCloseTo(-0.3 / [...answer].length, 10);
      expect(given!.nBest.map(({ text }) => text)).toEqual([answer]);
      expect(given!.rationale.length).toBeGreaterThan(0);
      expect(given!.attention).toBeUndefined();
      expect(missingSignals).toEqual(['attention']);
    }
    // The probes; and for each image an annotation, a self-check, three drawn answers at once, a rationale.
    expect(server.seen).toHaveLength(PROBES + 4 * 3);
  });

  it('are none where it tells no probabilities; nothing is spent on them', async () => {
    await start({ takes: [] }, files.slice(0, 3));
    await annotateRun(run, { url: server.url }, { signals });
    for (const { missingSignals, signals: given } of await annotationsOf(run.streams)) {
      expect(missingSignals).toEqual(['confidence', 'attention', 'n_best', 'rationale']);
      expect(given!.nBest).toEqual([]);
    }
    // Refused once with all fields, then taken with none.
    expect(server.seen).toHaveLength(1 + PROBES + 2 * 3);
  });

  it('are drawn one by one where an endpoint gives one answer at a time', async () => {
    await start({ takes: ['logprobs'] }, files.slice(0, 2));
    await annotateRun(run, { url: server.url }, { signals: { nBest: { answers: 3 } } });
    expect((await annotationsOf(run.streams)).map(({ missingSignals }) => missingSignals)).toEqual([['attention'], ['attention']]); // prettier-ignore
    expect(server.seen).toHaveLength(1 + PROBES + 2 * (2 + 3));
  });
});
