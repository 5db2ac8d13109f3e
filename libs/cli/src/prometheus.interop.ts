import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deployed, panelExpressions } from './dashboard.fixture.js';
import { freePort } from './free-port.fixture.js';
import { Prometheus } from './prometheus.fixture.js';
import { ServedPipeline } from './served-pipeline.fixture.js';

const COUNT = 24;
const work = mkdtempSync(join(tmpdir(), 'mpa-prometheus-'));
const RULES = ['recording-rules.yml', 'alerts.yml'];

/** The deployed configuration, but for these addresses and at a faster pace. */
function writeConfig(urls: readonly string[], driver: string): string {
  const targets = urls.map((url) => new URL(url).host).join(', ');
  const text = readFileSync(deployed('prometheus/prometheus.yml'), 'utf8');
  const config = join(work, 'prometheus.yml');
  const addressed = text.replace(/targets: \[.*,.*\]/, `targets: [${targets}]`).replace('127.0.0.1:9105', driver);
  writeFileSync(config, addressed.replaceAll('15s', '500ms'));
  for (const file of RULES) copyFileSync(deployed(`prometheus/${file}`), join(work, file));
  return config;
}

describe('promtool', () => {
  it.each([
    ['check', 'config', 'prometheus.yml'],
    ['check', 'rules', ...RULES],
    ['test', 'rules', 'alerts.test.yml'],
  ])('finds nothing wrong: %s %s', (...args) => {
    const { status, stderr, error } = spawnSync('promtool', args, { cwd: deployed('prometheus'), encoding: 'utf8' });
    expect(error).toBeUndefined();
    expect(status, stderr).toBe(0);
  });
});

describe('a real Prometheus, during a run', () => {
  let pipeline: ServedPipeline;
  let prometheus: Prometheus;

  beforeAll(async () => {
    pipeline = await ServedPipeline.start(work, COUNT, { metrics: { listen: '127.0.0.1:0' } });
    const listen = `127.0.0.1:${await freePort()}`;
    const config = writeConfig(
      pipeline.services.map(({ metrics }) => metrics),
      listen,
    );
    prometheus = await Prometheus.start(config, join(work, 'data'));
    await prometheus.until('up == 1', pipeline.services.length);
    expect(await pipeline.align('run', { metrics: { listen } }).ended).toMatchObject({ code: 0 });
    await prometheus.until('sum(mpa_stage_records_total{stage="evaluator"}) > 0', 1);
  });

  afterAll(async () => {
    await prometheus?.stop();
    await pipeline?.stop();
    rmSync(work, { recursive: true });
  });

  const last = async (expression: string): Promise<number | undefined> =>
    (await prometheus.values(expression))[0]?.at(-1);

  it('counts what the run has done', async () => {
    expect(await last('sum(mpa_stage_records_total{stage="annotator", outcome="annotated"})')).toBe(COUNT);
    expect(await last('sum(mpa_stage_records_total{stage="parity", outcome="student_differs"})')).toBe(COUNT);
    expect(await last('sum(mpa_stage_batch_records_sum{stage="annotator"})')).toBe(COUNT);
    expect(await last('max(mpa_training_steps_total)')).toBe(await last('max(mpa_training_planned_steps)'));
    expect(await last('min(mpa_training_loss{term="answer"})')).toBeGreaterThan(0);
    for (const stage of ['annotator', 'parity', 'evaluator']) {
      expect(await last(`sum(mpa_generated_tokens_total{stage="${stage}"})`), stage).toBeGreaterThan(0);
      expect(await last(`sum(mpa_model_seconds_total{stage="${stage}", kind="run", provider="cpu"})`)).toBeGreaterThan(
        0,
      );
    }
    expect(await last('sum(mpa_model_seconds_total{stage="trainer", kind="train"})')).toBeGreaterThan(0);
    expect(
      Math.max(...(await prometheus.values('sum(mpa_consumer_lag_records{group="annotator"})'))[0]!),
    ).toBeGreaterThan(0);
    for (const stage of ['annotator', 'parity']) {
      const owed = (await prometheus.values(`mpa_stage_owed_records{stage="${stage}"}`))[0]!;
      expect(Math.max(...owed), stage).toBeGreaterThan(0);
    }
  });

  it.each(panelExpressions('10s'))('has data for the panel: $title ($expression)', async ({ expression }) => {
    expect(await prometheus.values(expression)).not.toEqual([]);
  });

  it('evaluates every rule, and has data for those that record', async () => {
    const rules = await prometheus.rules();
    expect(rules.filter(({ health }) => health !== 'ok')).toEqual([]);
    for (const { name } of rules.filter(({ type }) => type === 'recording')) {
      expect(await prometheus.values(name), name).not.toEqual([]);
    }
    expect(rules.filter(({ type }) => type === 'alerting').length).toBeGreaterThan(0);
  });
});
