import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { writeWorld } from '@mpa/benchmarks';
import type { Summary } from '@mpa/console';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { drawImages } from './annotate-images.js';
import { faults, startChatServer, TOKENS, type ChatServer } from './chat-server.js';

const mpa = fileURLToPath(new URL('../../libs/cli/bin/mpa.js', import.meta.url));
const student = fileURLToPath(new URL('../fixtures/vlm/smolvlm-a/', import.meta.url));
const work = mkdtempSync(join(tmpdir(), 'mpa-align-endpoint-'));
const images = join(work, 'images');
const COUNT = 24;

/** Requests that find out what an endpoint can do, if it takes everything. */
const PROBES = 2;

/** Milliseconds for some runs of the whole command on a loaded machine. */
const SLOW = 300_000;
const KEY = 'sk-that-nobody-may-see';
const config = join(work, 'align.yaml');
beforeAll(async () => {
  await drawImages(images, COUNT);
  writeFileSync(
    config,
    `annotator:
  diversity: { maxShare: 1 }
  endpoint:
    prices: { input: 2, output: 10 }
    traffic: { timeout: 5, attempts: 10, pause: 0.02, longestPause: 1 }
trainer: { training: { epochs: 1 } }
`,
  );
});
afterAll(() => rmSync(work, { recursive: true }));

let server: ChatServer;
afterEach(() => server.close());

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function startMpa(args: readonly string[]): { readonly child: ChildProcess; readonly ended: Promise<Ended> } {
  const child = spawn(process.execPath, [mpa, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, OPENAI_API_KEY: KEY },
  });
  const output = Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { child, ended: output.then(([stdout, stderr]) => ({ code: child.exitCode, stdout, stderr })) };
}

function start(run: string, ...more: string[]): { readonly child: ChildProcess; readonly ended: Promise<Ended> } {
  const args = ['align', '--images', images, '--task', 'chartqa', '--student', student, '--config', config];
  const teacher = ['--teacher', server.url, '--teacher-model', 'tiny', '--out', join(work, run)];
  return startMpa([...args, ...teacher, ...more]);
}

function summaryOf(ended: Ended): Summary {
  expect(ended).toMatchObject({ code: 0 });
  return JSON.parse(ended.stdout.trimEnd().split('\n').at(-1)!) as Summary;
}

/** Whether any file of a folder, or any text, holds the key. */
function expectNoKey(folder: string, ...texts: string[]): void {
  for (const each of texts) expect(each).not.toContain(KEY);
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    expect(readFileSync(file).includes(KEY), file).toBe(false);
  }
}

describe('mpa answer and mpa evaluate with a model behind an endpoint', { timeout: SLOW }, () => {
  it('ask it as they ask a checkpoint', async () => {
    server = await startChatServer({
      say: ({ text: question }) => (question.startsWith('What is on') ? 'white' : 'a cat'),
    });
    const model = `${server.url}#tiny`;
    const asked = ['answer', '--model', model, '--image', join(images, '0.png'), '--question', 'What is it?', '--json'];
    const answered = await startMpa(asked).ended;
    const { answer, logProbability } = JSON.parse(answered.stdout) as { answer: string; logProbability: number };
    expect([answer, logProbability]).toEqual(['a cat', expect.closeTo(-0.3, 10)]);

    const { annotations, imageFolder } = await writeWorld({ task: 'chartqa', split: 'test', count: 3, seed: 1, out: join(work, 'labelled') }); // prettier-ignore
    const out = join(work, 'evaluated');
    const args = ['evaluate', '--model', `small=${student}`, model, '--benchmark', 'chartqa', '--annotations', annotations!, '--image-root', imageFolder, '--out', out, '--json']; // prettier-ignore
    const before = server.seen.length;
    const ended = await startMpa(args).ended;
    expect(ended).toMatchObject({ code: 0 });
    const report = JSON.parse(ended.stdout) as { questions: number; models: Record<string, { accuracy: object }> };
    expect(Object.keys(report.models)).toEqual(['small', 'tiny']);
    // The probes, and each question once.
    expect(server.seen.length - before).toBe(PROBES + report.questions);
    const predictions = readFileSync(join(out, 'results.jsonl'), 'utf8').match(/"prediction":"a cat"/g);
    expect(predictions).toHaveLength(report.questions);
    const again = await startMpa(args).ended;
    expect(JSON.parse(again.stdout)).toEqual(report);
    expect(server.seen.length - before).toBe(PROBES + report.questions);
    expectNoKey(out, ended.stdout, ended.stderr);
  });
});

describe('mpa align with a teacher behind an endpoint', { timeout: SLOW }, () => {
  it('evaluates it beside the student', async () => {
    server = await startChatServer();
    const { annotations, imageFolder } = await writeWorld({ task: 'chartqa', split: 'test', count: 2, seed: 2, out: join(work, 'measured') }); // prettier-ignore
    const summary = summaryOf(
      await start('evaluated', '--eval', annotations!, '--eval-images', imageFolder, '--json').ended,
    );
    expect(summary.eval['chartqa']!.n).toBeGreaterThan(0);
    expect(summary.speed.teacher).toBeGreaterThan(0);
    const questions = summary.eval['chartqa']!.n;
    // The evaluation's requests, and its probes, are not in the accounts of the annotating.
    expect(server.seen.length).toBe(summary.teacher!.total.requests + PROBES + questions);
  });

  it('levels the student, and tells what was asked and what it cost', async () => {
    server = await startChatServer();
    const ended = await start('whole', '--json').ended;
    const summary = summaryOf(ended);
    expect(summary).toMatchObject({ images: COUNT, annotated: COUNT, skipped: {} });
    expect(summary.train.steps).toBeGreaterThan(0);
    const { stages, total, missingSignals } = summary.teacher!;
    expect(Object.keys(stages).sort()).toEqual(['annotate', 'probe', 'self_check']);
    expect(stages['annotate']).toMatchObject({ requests: COUNT, retries: 0, images: COUNT, inputTokens: COUNT * TOKENS.image }); // prettier-ignore
    expect(total.requests).toBe(server.seen.length);
    expect(total.cost).toBeCloseTo((total.inputTokens * 2 + total.outputTokens * 10) / 1e6, 12);
    expect(missingSignals).toEqual({ attention: COUNT });
    expect(ended.stderr).toMatch(/estimate: 48 to 120 requests to the teacher for 24 images/);
    expect(server.seen[0]!.authorization).toBe(`Bearer ${KEY}`);
    expect(readFileSync(join(work, 'whole', 'report.html'), 'utf8')).toContain('What the L-VLM was asked');
    expectNoKey(join(work, 'whole'), ended.stdout, ended.stderr);

    const asked = server.seen.length;
    expect(summaryOf(await start('whole', '--json').ended).teacher).toEqual(summary.teacher);
    expect(server.seen.length).toBe(asked);
  });

  it('goes on after SIGKILL without asking again what was answered', async () => {
    server = await startChatServer({ milliseconds: 100 });
    const first = start('killed', '--json');
    while (server.seen.length < COUNT) await pause(20);
    first.child.kill('SIGKILL');
    await first.ended;
    // The server may still be at work on what was asked last.
    await pause(300);
    const before = server.seen.length;
    expect(before).toBeLessThan(2 * COUNT);
    const summary = summaryOf(await start('killed', '--json').ended);
    expect(summary).toMatchObject({ images: COUNT, annotated: COUNT });
    const { stages, total } = summary.teacher!;
    expect(stages['annotate']!.images).toBe(COUNT);
    expect(stages['self_check']!.images).toBe(COUNT);
    // Asked twice, and not in the accounts, is only what was under way when the process was killed: at most the limit then.
    const underWay = server.seen.length - total.requests;
    expect(underWay).toBeGreaterThanOrEqual(0);
    expect(underWay).toBeLessThanOrEqual(16);
    expect(total.requests).toBe(PROBES + 2 * COUNT);
  });

  it('gets over every fault, and keeps the key to itself when the server says it aloud', async () => {
    const kinds = faults.filter((fault) => fault !== 'hang' && fault !== 'drip');
    server = await startChatServer({
      fault: ({ index }) => (index % 3 === 1 ? kinds[index % kinds.length] : undefined),
      refuse: ({ index, authorization }) =>
        index % 7 === 3 ? { status: 500, text: `failed for ${authorization}` } : undefined,
      say: ({ image, authorization }) => (image.startsWith('0') ? `No question for ${authorization}` : undefined),
    });
    const ended = await start('faulty', '--json').ended;
    const summary = summaryOf(ended);
    expect(summary.annotated + (summary.skipped['unparsable-text'] ?? 0)).toBe(COUNT);
    expect(summary.teacher!.total.requests).toBe(server.seen.length);
    expect(summary.teacher!.total.retries).toBeGreaterThan(0);
    expectNoKey(join(work, 'faulty'), ended.stdout, ended.stderr);
  });

  it('stops in one line when the budget is used up or nobody is let in, and goes on with more', async () => {
    server = await startChatServer();
    const stopped = await start('budget', '--max-requests', '20').ended;
    expect(stopped.stderr).toMatch(/\nmpa: the budget of 20 requests is used up [^\n]*\n$/);
    expect(stopped).toMatchObject({ code: 1, stdout: '' });
    expect(server.seen).toHaveLength(20);
    const summary = summaryOf(await start('budget', '--max-cost', '100', '--json').ended);
    expect(summary.teacher!.total.requests).toBe(PROBES + 2 * COUNT);

    server.manners.refuse = ({ authorization }) => ({ status: 401, text: `no entry with ${authorization}` });
    const barred = await start('barred').ended;
    expect(barred.stderr).toMatch(/\nmpa: the teacher at [^\n]* does not answer: HTTP 401: no entry with Bearer \*\*\*[^\n]*\n$/); // prettier-ignore
    expect(barred.code).toBe(1);
    expectNoKey(join(work, 'barred'), barred.stdout, barred.stderr);
  });

  it('reaches an annotator elsewhere, which has the endpoint in its own configuration', async () => {
    server = await startChatServer();
    const file = join(work, 'annotator.yaml');
    writeFileSync(file, JSON.stringify({ endpoint: { url: server.url, model: 'tiny', budget: { requests: 10 } } }));
    const service = startMpa(['serve', 'annotator', '--config', file]);
    const [chunk] = (await once(service.child.stdout!, 'data')) as [Buffer];
    const { address } = JSON.parse(chunk.toString().split('\n')[0]!) as { address: string };
    const endpoints = join(work, 'endpoints.yaml');
    writeFileSync(endpoints, JSON.stringify({ annotator: address }));
    const refused = await start('elsewhere', '--endpoints', endpoints, '--max-requests', '20').ended;
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringMatching(/in its own configuration/) as string });
    const { stderr, code } = await start('elsewhere', '--endpoints', endpoints).ended;
    expect(stderr).toMatch(/\nmpa: the budget of 10 requests is used up [^\n]*\n$/);
    expect(code).toBe(1);
    expect(server.seen).toHaveLength(10);
    expect(server.seen[0]!.authorization).toBe(`Bearer ${KEY}`);
    service.child.kill('SIGTERM');
    const ended = await service.ended;
    expect(ended.code).toBe(0);
    expectNoKey(join(work, 'elsewhere'), ended.stdout, stderr);
  });

  it.each([
    [['--teacher-model', ''], /endpoint\.model/],
    [['--max-requests', '0'], /at least 1/],
    [['--teacher-key-env', KEY], /name of an environment variable/],
    [['--teacher-key-env', 'NOT_SET'], /NOT_SET is not set/],
    [['--teacher', 'models/large'], /are for a --teacher that is a URL/],
    [['--teacher', 'https://me:password@host/v1'], /must not hold a password/],
  ])('is refused as wrong usage with %j', async (flags, message) => {
    server = await startChatServer();
    const { stderr, code } = await start('wrong', ...flags).ended;
    expect(stderr).toMatch(message);
    expect(stderr).not.toContain(KEY);
    expect(stderr).not.toContain('password@');
    expect(code).toBe(2);
  });
});
