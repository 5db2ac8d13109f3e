import { execFileSync } from 'node:child_process';
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'; // prettier-ignore
import { request } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { openEmbeddedStreams } from '@mpa/streams';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ListedRun, RunList, RunView, SampleDetail, SamplePage } from '../api.js';
import { addResults, addSamples, addSamplesElsewhere, addSteps, beginRun, drawImage, fateOf, finishRun, idOf, writeRun } from '../run.fixture.js'; // prettier-ignore
import { startConsole, type RunningConsole } from './start-console.js';

const work = realpathSync(mkdtempSync(join(tmpdir(), 'mpa-console-')));
const runs = join(work, 'runs');
const outside = join(work, 'outside');
const secret = join(work, 'secret.png');
let server: RunningConsole;

beforeAll(async () => {
  mkdirSync(runs);
  await drawImage(secret, 1);
  await writeRun(join(runs, 'whole'));
  await writeRun(outside);
  server = await startConsole({ runs, host: '127.0.0.1', port: 0 });
}, 120_000);
afterAll(async () => {
  await server.stop();
  rmSync(work, { recursive: true });
});

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** Asks with the path as it stands, and any Host: `fetch` would mend the one and refuse the other. */
function ask(path: string, { host, method = 'GET' }: { host?: string; method?: string } = {}): Promise<Answer> {
  const { hostname, port } = new URL(server.address);
  return new Promise((resolve, reject) => {
    const headers = host === undefined ? {} : { host };
    request({ hostname, port, path, method, headers, setHost: host === undefined }, (response) => {
      void text(response).then((body) => resolve({ status: response.statusCode!, headers: response.headers, body }));
    })
      .on('error', reject)
      .end();
  });
}

async function json<T>(path: string): Promise<T> {
  const { status, body } = await ask(path);
  expect(status, body).toBe(200);
  return JSON.parse(body) as T;
}

async function listed(name: string): Promise<ListedRun | undefined> {
  return (await json<RunList>('/api/runs')).runs.find((run) => run.name === name);
}

describe('the list of runs', () => {
  it('has a finished run, and says why another folder cannot be read', async () => {
    mkdirSync(join(runs, 'whole-images'));
    mkdirSync(join(runs, 'foreign', 'streams'), { recursive: true });
    mkdirSync(join(runs, 'garbled', 'streams'), { recursive: true });
    writeFileSync(join(runs, 'garbled', 'config.json'), '{"sources": [');
    mkdirSync(join(runs, 'model'));
    writeFileSync(join(runs, 'model', 'config.json'), '{"model_type": "idefics3"}');
    symlinkSync(outside, join(runs, 'leading-out'));
    writeFileSync(join(runs, 'file'), '');
    const { folder, runs: found } = await json<RunList>('/api/runs');
    expect(folder).toBe(runs);
    const [whole, ...others] = found.toSorted((a) => (a.name === 'whole' ? -1 : 1));
    expect(whole).toMatchObject({ name: 'whole', status: 'finished', tasks: ['textvqa', 'stvqa', 'chartqa', 'okvqa'], summary: { images: 60, selected: 36, before: 0.25 } }); // prettier-ignore
    expect(Object.fromEntries(others.map(({ name, status, problem }) => [name, `${status}: ${problem}`]))).toEqual({
      foreign: 'unreadable: it has no config.json',
      garbled: 'unreadable: config.json is not readable JSON',
      'leading-out': 'unreadable: it is a link that leads out of the folder',
    });
    for (const name of ['foreign', 'garbled', 'leading-out']) expect((await ask(`/api/runs/${name}`)).status).toBe(422);
  });
});

it('a pipe among the files of a run is not opened, and other runs are shown', async () => {
  for (const name of ['piped', 'piped-records']) mkdirSync(join(runs, name, 'streams'), { recursive: true });
  cpSync(join(runs, 'whole', 'config.json'), join(runs, 'piped-records', 'config.json'));
  mkdirSync(join(runs, 'piped-records', 'records'));
  execFileSync('mkfifo', [
    join(runs, 'piped', 'config.json'),
    join(runs, 'piped-records', 'records', 'training.jsonl'),
  ]);
  for (let i = 0; i < 5; i++) {
    expect(await listed('piped')).toMatchObject({ status: 'unreadable', problem: 'config.json is no file' });
    expect((await json<RunView>('/api/runs/piped-records')).problems).toContain('training.jsonl is no file');
  }
  expect(await listed('whole')).toMatchObject({ status: 'finished' });
  for (const name of ['piped', 'piped-records']) rmSync(join(runs, name), { recursive: true });
});

describe('a finished run', () => {
  it('is told as a whole', async () => {
    const view = await json<RunView>('/api/runs/whole');
    expect(view).toMatchObject({ name: 'whole', status: 'finished', seconds: 75, problems: [] });
    expect(view.counts).toEqual({
      images: 60,
      annotated: 54,
      skipped: { damaged: 6 },
      selected: 36,
      selectedBy: { rehearsal: 18, student_differs: 18 },
      rejected: { teacher_disagrees_with_itself: 18 },
    });
    expect(view.curve.map(({ name, points }) => [name, points.length])).toEqual([
      ['answer', 40],
      ['reasoning', 40],
    ]);
    const { before, after, teacher, change, n } = view.accuracy['chartqa']!;
    expect([before?.mean, after?.mean, teacher?.mean, n]).toEqual([3 / 12, 4 / 12, 6 / 12, 12]);
    expect(change?.mean).toBeCloseTo(1 / 12);
    for (const { low, mean, high } of [before!, after!, teacher!]) {
      expect(low).toBeLessThan(mean);
      expect(high).toBeGreaterThan(mean);
    }
    expect(view.analysis.histograms.confidence?.samples).toBe(54);
  });

  it('ends its stream of events after the first', async () => {
    const { headers, body } = await ask('/api/runs/whole/events');
    expect(headers['content-type']).toMatch(/^text\/event-stream/);
    expect(body.match(/^event: run$/gm)).toHaveLength(1);
  });
});

describe('samples', () => {
  const page = (query: string): Promise<SamplePage> => json(`/api/runs/whole/samples?${query}`);
  const all = Array.from({ length: 60 }, (_, n) => n);

  it('come page by page, each once', async () => {
    const parts = await Promise.all([0, 25, 50].map((offset) => page(`offset=${offset}&limit=25`)));
    expect(parts.map(({ total, rows }) => [total, rows.length])).toEqual([[60, 25], [60, 25], [60, 10]]); // prettier-ignore
    const ids = parts.flatMap(({ rows }) => rows.map(({ id }) => id));
    expect(ids.sort()).toEqual(all.map(idOf));
    expect((await page('offset=500')).rows).toEqual([]);
  });

  it('are filtered by task, decision, reason, discrepancy and text', async () => {
    const total = async (query: string): Promise<number> => (await page(query)).total;
    expect(await total('task=chartqa')).toBe(15);
    expect(await total('outcome=skipped')).toBe(6);
    expect(await total('reason=student_differs')).toBe(all.filter((n) => fateOf(n) === 'student_differs').length);
    expect(await total('measure=confidence&min=0.2&max=0.29')).toBe(all.filter((n) => n >= 20 && n < 30 && fateOf(n) !== 'skipped').length); // prettier-ignore
    expect(await total('text=PEAR%2012')).toBe(1);
    expect(await total('text=number%2012&task=textvqa&outcome=selected')).toBe(1);
    expect(await total('text=nowhere')).toBe(0);
  });

  it('say how many there are by each filter, under the others', async () => {
    const { tasks, outcomes, reasons } = await page('outcome=skipped');
    expect(Object.values(tasks).reduce((a, b) => a + b)).toBe(6);
    expect(outcomes).toEqual({ skipped: 6, selected: 36, rejected: 18 });
    expect(reasons).toEqual({ damaged: 6 });
  });

  it('are sorted by a discrepancy, those without it last', async () => {
    const { rows } = await page('order=confidence&limit=60');
    const values = rows.map(({ discrepancies }) => discrepancies.confidence ?? -1);
    expect(values).toEqual(values.toSorted((a, b) => b - a));
    expect(values.at(-1)).toBe(-1);
  });

  it('are told with signals, steps and decision', async () => {
    const sample = await json<SampleDetail>(`/api/runs/whole/samples/${idOf(3)}`);
    expect(sample).toMatchObject({
      question: 'What is number 3?',
      answer: 'apple 3',
      selfCheck: 'apple 3',
      studentAnswer: 'pear 3',
      outcome: 'selected',
      reason: 'student_differs',
      imageName: 'image-3.png',
      partsAt: 0,
    });
    expect(sample.attention.teacher?.cells).toHaveLength(16);
    expect(sample.rationale).toEqual([{ text: 'It is round.', teacher: -2 / 12, student: -20 / 12 }]);
    expect(JSON.stringify(sample)).not.toContain(work);
    expect(await json(`/api/runs/whole/samples/${idOf(9)}`)).toMatchObject({
      outcome: 'skipped',
      detail: 'ends early',
    });
  });

  it.each(['offset=-1', 'limit=100000', 'task=vqa', 'order=size', 'min=2', 'sort=x'])(
    'refuse %s by name',
    async (query) => {
      const { status, body } = await ask(`/api/runs/whole/samples?${query}`);
      expect(status).toBe(400);
      expect(body).toContain(query.startsWith('sort') ? 'sort' : query.split('=')[0]);
    },
  );

  it('show their image anew as a JPEG', async () => {
    const response = await fetch(`${server.address}api/runs/whole/samples/${idOf(3)}/large`);
    expect(response.headers.get('content-type')).toBe('image/jpeg');
    const { width, height } = await sharp(await response.arrayBuffer()).metadata();
    expect([width, height]).toEqual([64, 48]);
  });
});

describe('what nobody may see', () => {
  it.each([
    '/api/runs/../../secret.png',
    '/api/runs/..%2f..%2fsecret.png/samples',
    '/api/runs/%2e%2e/samples',
    '/api/runs/whole%2f..%2f..%2foutside',
    `/api/runs/${encodeURIComponent(outside)}`,
    `/api/runs/whole/samples/${encodeURIComponent(secret)}/large`,
    '/api/runs/whole/samples/..%2f..%2f..%2fsecret.png/large',
    `/api/runs/whole/samples/${idOf(3)}/..%2f..%2fconfig.json`,
    '/api/runs/whole/config.json',
    '/runs/whole/config.json',
    '/assets/../../../package.json',
    '/assets/..%2f..%2f..%2fpackage.json',
    '/assets/%2e%2e/%2e%2e/package.json',
    '/../package.json',
    '/api/runs/whole%00',
  ])('is not found: %s', async (path) => {
    const { status, body } = await ask(path);
    expect([400, 404]).toContain(status);
    expect(body).not.toMatch(/"dependencies"|PNG|teacher/);
  });

  it('is refused by methods that change something', async () => {
    for (const method of ['POST', 'PUT', 'DELETE']) expect((await ask('/api/runs', { method })).status).toBe(404);
  });

  it('a link in a run leads out of it: it is not followed', async () => {
    await writeRun(join(runs, 'linked'));
    for (const part of ['streams', 'records', 'summary.json', 'state.json']) {
      rmSync(join(runs, 'linked', part), { recursive: true });
      symlinkSync(join(outside, part), join(runs, 'linked', part));
    }
    const view = await json<RunView>('/api/runs/linked');
    expect(view.counts.images).toBe(0);
    expect(view.accuracy).toEqual({});
    expect(view.problems).toContain('data.mdb is a link that leads out of the run');
    expect((await ask(`/api/runs/linked/samples/${idOf(3)}`)).status).toBe(404);
    rmSync(join(runs, 'linked'), { recursive: true });
  });

  it('a record names what is no image: none of its bytes come out', async () => {
    const folder = join(runs, 'crafted');
    const text = join(work, 'secret.txt');
    writeFileSync(text, 'the secret');
    beginRun(folder);
    await addSamples(folder, 0, 3, (n) => [text, '/dev/zero', work][n]!);
    for (const n of [0, 1, 2]) {
      const { status, body } = await ask(`/api/runs/crafted/samples/${idOf(n)}/large`);
      expect(status).toBe(404);
      expect(body).not.toContain('secret');
    }
  });
});

describe('the guard', () => {
  it.each([
    'evil.example',
    'evil.example:80',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'user@localhost',
    'localhost/',
    '',
  ])('refuses the host "%s", as a page from elsewhere would name it', async (host) => {
    const { status, body } = await ask('/api/runs', { host });
    expect([400, 421]).toContain(status);
    expect(body).not.toContain(runs);
  });

  it.each(['localhost', 'localhost:1234', '127.0.0.1', '[::1]:80', '192.168.1.2'])('lets %s pass', async (host) => {
    expect((await ask('/api/runs', { host })).status).toBe(200);
  });

  it.each(['/', '/api/runs', '/api/runs/none', '/runs/whole', '/nowhere'])('puts its headers on %s', async (path) => {
    const { headers } = await ask(path);
    expect(headers['content-security-policy']).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['cross-origin-resource-policy']).toBe('same-origin');
    expect(headers['cache-control']).toBe('no-store');
    expect(headers['referrer-policy']).toBe('no-referrer');
    expect(headers['access-control-allow-origin']).toBeUndefined();
  });
});

describe('a broken run', () => {
  it.each([
    ['is garbage', (file: string): void => writeFileSync(file, Buffer.alloc(100_000, 7)), 'data.mdb is no log'],
    ['is empty', (file: string): void => writeFileSync(file, ''), 'data.mdb is no log'],
    ['was cut short', (file: string): void => truncateSync(file, 8192), 'data.mdb was cut short'],
  ])('whose log %s is shown without samples', async (name, breakIt, problem) => {
    const folder = join(runs, `broken-${name.replaceAll(' ', '-')}`);
    cpSync(join(runs, 'whole'), folder, { recursive: true });
    // A file that lacks less than a megabyte may be sound.
    await addSamples(folder, 60, 3000, () => secret);
    breakIt(join(folder, 'streams', 'data.mdb'));
    const view = await json<RunView>(`/api/runs/${folder.slice(runs.length + 1)}`);
    expect(view.problems.join()).toContain(problem);
    expect(view.counts.images).toBe(0);
    expect(view.accuracy['chartqa']).toBeDefined();
  });

  it('with a line that is no JSON is shown without that line, and with what is being written left out', async () => {
    const folder = join(runs, 'torn');
    beginRun(folder);
    addSteps(folder, 0, 2, 5);
    const file = join(folder, 'records', 'training.jsonl');
    appendFileSync(file, 'not json\n');
    addSteps(folder, 2, 3, 5);
    appendFileSync(file, '{"step":4,"lo');
    const view = await json<RunView>('/api/runs/torn');
    expect(view.curve[0]?.points.map(({ x }) => x)).toEqual([1, 2, 3]);
    expect(view.problems).toEqual(['records/training.jsonl: 1 lines are not JSON, the first is line 3']);
    appendFileSync(file, 'ss":0.5,"terms":{}}\n');
    await pause(400);
    const later = await json<RunView>('/api/runs/torn');
    expect(later.curve[0]?.points.map(({ x }) => x)).toEqual([1, 2, 3, 4]);
  });

  it('with records that are none is shown without them', async () => {
    const folder = join(runs, 'undecodable');
    beginRun(folder);
    await addSamples(folder, 0, 5, () => secret);
    const streams = openEmbeddedStreams(join(folder, 'streams'));
    await streams.producer.send('decisions', [{ key: 'bad', value: Uint8Array.of(255, 255) }]);
    await streams.close();
    const view = await json<RunView>('/api/runs/undecodable');
    expect(view.problems).toEqual(['streams: 1 records cannot be decoded']);
    expect((await json<SamplePage>('/api/runs/undecodable/samples')).total).toBe(5);
  });

  it('with other things in its files than must be there says so', async () => {
    const folder = join(runs, 'odd');
    beginRun(folder);
    finishRun(folder);
    writeFileSync(join(folder, 'summary.json'), '[]');
    writeFileSync(join(folder, 'analysis.json'), '{"levelling": 3}');
    expect((await json<RunView>('/api/runs/odd')).problems).toEqual([
      'summary.json is not that of a run',
      'analysis.json is not that of a run',
    ]);
    expect(await listed('odd')).toMatchObject({ status: 'unreadable', problem: 'summary.json is not that of a run' });
  });

  it('that is removed while it is shown is gone, and another one of its name is read anew', async () => {
    const folder = join(runs, 'removed');
    cpSync(join(runs, 'whole'), folder, { recursive: true });
    rmSync(join(folder, 'summary.json'));
    expect((await json<RunView>('/api/runs/removed')).counts.images).toBe(60);
    const watched = ask('/api/runs/removed/events');
    await pause(300);
    renameSync(folder, join(work, 'removed'));
    expect((await watched).body).toMatch(/event: gone\ndata: removed was removed\n/);
    expect((await ask('/api/runs/removed')).status).toBe(404);
    beginRun(folder);
    await addSamples(folder, 0, 5, () => secret);
    expect((await json<RunView>('/api/runs/removed')).counts.images).toBe(5);
  });
});

describe('a run that goes on', () => {
  it('is streamed as it grows', async () => {
    const folder = join(runs, 'live');
    beginRun(folder);
    const response = await fetch(`${server.address}api/runs/live/events`);
    const views = eventsOf(response.body!);
    const until = async (reached: (view: RunView) => boolean): Promise<RunView> => {
      for (;;) {
        const next = await views.next();
        if (next.done) throw new Error('the stream ended');
        if (reached(next.value)) return next.value;
      }
    };
    expect((await until(() => true)).counts.images).toBe(0);
    await addSamplesElsewhere(folder, 0, 20, secret);
    writeFileSync(join(folder, 'state.json'), JSON.stringify({ seconds: 1, images: 40, questions: { chartqa: 8 } }));
    // The records and the state may be seen one after the other.
    const decided = await until(({ stages }) => stages[2]!.done === 18 && stages[2]!.of !== null);
    expect(decided.stages.slice(0, 3)).toMatchObject([
      { name: 'list', done: 20, of: 40 },
      { name: 'annotate', done: 20, of: 40 },
      { name: 'decide', done: 18, of: 38 },
    ]);
    addSteps(folder, 0, 3, 10);
    addResults(folder, 'chartqa', 4);
    const evaluated = await until(({ accuracy, stages }) => accuracy['chartqa'] !== undefined && stages[3]!.done === 3);
    expect(evaluated.stages).toContainEqual(expect.objectContaining({ name: 'train', done: 3, of: 10 }));
    expect(evaluated.stages).toContainEqual(expect.objectContaining({ name: 'evaluate chartqa', done: 12, of: 24 }));
    finishRun(folder);
    expect((await until(({ status }) => status === 'finished')).seconds).toBe(75);
    expect((await views.next()).done).toBe(true);
  });
});

async function* eventsOf(body: NonNullable<Response['body']>): AsyncGenerator<RunView, undefined> {
  const [reader, decoder] = [body.getReader(), new TextDecoder()];
  let held = '';
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    held += decoder.decode(part.value, { stream: true });
    const events = held.split('\n\n');
    held = events.pop()!;
    for (const event of events) {
      const data = /^data: (.*)$/m.exec(event)?.[1];
      if (data) yield JSON.parse(data) as RunView;
    }
  }
}

describe('starting', () => {
  it('names a port that is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await pause(50);
    const { port } = other.address() as AddressInfo;
    await expect(startConsole({ runs, host: '127.0.0.1', port })).rejects.toMatchObject({
      code: 'listen',
      message: `cannot listen on 127.0.0.1:${port}: the port is taken; give another --port, or 0 for a free one`,
    });
    other.close();
  });

  it('names a folder that is not there', async () => {
    await expect(startConsole({ runs: join(work, 'none'), host: '127.0.0.1', port: 0 })).rejects.toMatchObject({
      code: 'not-found',
      message: `there is no folder ${join(work, 'none')}; give the right --runs`,
    });
  });

  it('stops also while somebody watches', async () => {
    beginRun(join(runs, 'watched'));
    const other = await startConsole({ runs, host: '127.0.0.1', port: 0 });
    const response = await fetch(`${other.address}api/runs/watched/events`);
    const reading = response.text().catch(() => 'cut off');
    await other.stop();
    await reading;
    await expect(fetch(other.address)).rejects.toThrow();
  });
});
