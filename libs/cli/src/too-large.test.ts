import { cpSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describeCheckpoint } from '@mpa/vlm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Diagnosis } from './commands/doctor.js';
import { lastObject, runMpa } from './run-mpa.fixture.js';

const fixture = fileURLToPath(new URL('../../../test/fixtures/vlm/smolvlm-a/', import.meta.url));
const work = mkdtempSync(join(tmpdir(), 'mpa-too-large-'));
const model = join(work, 'huge');
afterAll(() => rmSync(work, { recursive: true }));

/** Weights that are all there by their names and sizes, as a hole in the file: 4 TB on no disk space. */
beforeAll(async () => {
  cpSync(fixture, model, { recursive: true });
  const path = join(model, 'config.json');
  const config = JSON.parse(readFileSync(path, 'utf8')) as { text_config: object };
  const text = { hidden_size: 16_384, intermediate_size: 53_248, num_hidden_layers: 250, head_dim: 128 };
  const heads = { num_attention_heads: 128, num_key_value_heads: 128 };
  writeFileSync(path, JSON.stringify({ ...config, text_config: { ...config.text_config, ...text, ...heads } }));
  const { family, config: read } = await describeCheckpoint(model);
  let offset = 0;
  const header: Record<string, unknown> = {};
  for (const [name, shape] of family.weights(read)) {
    const end = shape.reduce((size, n) => size * n, 4) + offset;
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, end] };
    offset = end;
  }
  const json = Buffer.from(JSON.stringify(header));
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(json.length));
  const weights = join(model, 'model.safetensors');
  writeFileSync(weights, Buffer.concat([prefix, json]));
  truncateSync(weights, 8 + json.length + offset);
});

describe('a model that is larger than the machine', () => {
  it('is measured by mpa doctor without being read', async () => {
    const ended = await runMpa('doctor', '--model', model, '--json');
    const { model: needs } = lastObject(ended) as unknown as Diagnosis;
    expect(needs!.parameters).toBeGreaterThan(9e11);
    const [float32, int8, int4] = needs!.answering;
    // Four bytes, about one, about half of one a parameter, scales on top.
    expect(float32!.weights / needs!.parameters).toBeCloseTo(4, 1);
    expect(int8!.weights / needs!.parameters).toBeCloseTo(1.06, 1);
    expect(int4!.weights / needs!.parameters).toBeCloseTo(0.63, 1);
    expect(needs!.answering.map(({ fits }) => fits)).toEqual([false, false, false]);
  });

  it('is refused before a weight is read, with the figures', async () => {
    const ended = await runMpa('answer', '--model', model, '--image', join(fixture, 'images', 'case0_0_0.png'), '--question', 'What?'); // prettier-ignore
    expect(ended.stderr).toMatch(
      /^mpa: \S*huge needs about [\d.]+ GiB of memory in float32, and this machine has [\d.]+ GiB; no precision fits; [^\n]+\n$/,
    );
    expect(ended.code).toBe(1);
  });
});
