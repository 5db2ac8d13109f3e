import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { selectionReasons } from '@mpa/alignment';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deployed, panelExpressions } from './dashboard.fixture.js';
import { freePort } from './free-port.fixture.js';
import { OtlpReceiver } from './otlp-receiver.fixture.js';
import { ServedPipeline } from './served-pipeline.fixture.js';
import { expectWholeTraces } from './whole-traces.fixture.js';

const COUNT = 4;
const work = mkdtempSync(join(tmpdir(), 'mpa-observability-'));
const RULES = ['recording-rules.yml', 'alerts.yml'].map((file) => readFileSync(deployed(`prometheus/${file}`), 'utf8'));

/** Lines of Prometheus's text format that are no comments. */
const SAMPLE = /^[a-z_][a-z0-9_]*(\{([a-z_]+="[^"]*",?)*\})? (Nan|NaN|[+-]Inf|-?[0-9.e+-]+)$/;

/** The pages of the services, once a whole run was done by them, and their traces; the driver's from during the run. */
let pages: string[];
const driverPages: string[] = [];
let collector: OtlpReceiver;

beforeAll(async () => {
  collector = await OtlpReceiver.start();
  const tracing = { endpoint: collector.endpoint };
  const pipeline = await ServedPipeline.start(work, COUNT, { tracing, metrics: { listen: '127.0.0.1:0' } });
  try {
    const listen = `127.0.0.1:${await freePort()}`;
    const run = pipeline.align('run', { tracing, metrics: { listen } });
    while (run.child.exitCode === null) {
      await fetch(`http://${listen}/metrics`).then(async (page) => driverPages.push(await page.text()), () => undefined); // prettier-ignore
      await pause(100);
    }
    expect(await run.ended).toMatchObject({ code: 0 });
    pages = await Promise.all(pipeline.services.map(async ({ metrics }) => (await fetch(metrics)).text()));
  } finally {
    await pipeline.stop();
  }
}, 600_000);
afterAll(() => {
  collector.close();
  rmSync(work, { recursive: true });
});

describe('traces', () => {
  it('follow every image from its listing through all four services', () => {
    expectWholeTraces(collector.traces(), COUNT);
  });
});

describe('metrics', () => {
  it('are there in the text format of Prometheus', () => {
    for (const page of [...pages, ...driverPages]) {
      const samples = page.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
      expect(samples.filter((line) => !SAMPLE.test(line))).toEqual([]);
    }
  });

  it('tell what the run has done', () => {
    const all = pages.join('\n');
    expect(all).toContain(`mpa_stage_records_total{outcome="annotated",stage="annotator"} ${COUNT}`);
    expect(all).toContain(`mpa_stage_records_total{outcome="student_differs",stage="parity"} ${COUNT}`);
    expect(all).toMatch(/mpa_model_seconds_total\{kind="train",provider="\w+",stage="trainer"\} [0-9.]+/);
    expect(all).toMatch(/mpa_generated_tokens_total\{stage="evaluator"\} [1-9]/);
  });

  it('tell during the run what it waits for from each service', () => {
    const found = driverPages.flatMap((page) => [...page.matchAll(/^mpa_stage_owed_records\{stage="(\w+)"\} [1-9]/gm)]);
    expect(new Set(found.map(([, stage]) => stage))).toEqual(new Set(['annotator', 'parity', 'trainer', 'evaluator']));
  });

  it('are all that rules, alerts and dashboard ask for', () => {
    const shown = new Set([...[...pages, ...driverPages].join('\n').matchAll(/^# TYPE (\S+) (\S+)$/gm)].flatMap(([, name, type]) => namesOf(name!, type!))); // prettier-ignore
    const recorded = RULES.flatMap((text) => [...text.matchAll(/record: (\S+)/g)].map(([, name]) => name!));
    const asked = [...RULES.flatMap(expressionsOf), ...panelExpressions('5m').map(({ expression }) => expression)];
    const names = asked.flatMap(
      (expression) => expression.match(/\b(stage:|mpa[:_]|grpc_server_|process_|nodejs_)[\w:]+/g) ?? [],
    );
    expect(names.length).toBeGreaterThan(0);
    expect(names.filter((name) => !shown.has(name) && !recorded.includes(name))).toEqual([]);
  });

  it('count as selected what the parity service selects', () => {
    expect(/outcome=~"(student_[^"]+)"/.exec(RULES[0]!)?.[1]?.split('|')).toEqual(selectionReasons);
  });
});

/** The names of a metric's series. */
function namesOf(name: string, type: string): string[] {
  return type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name];
}

function expressionsOf(rules: string): string[] {
  return [...rules.matchAll(/expr: (>\n(?: {10}.*\n)+|.*)/g)].map(([, expression]) => expression!);
}
