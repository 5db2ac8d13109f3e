import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadTensorflow } from '@mpa/tensorflow';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allChecks } from './all-checks.js';
import { passed } from './check.js';
import type { Check } from './check.js';
import { openOracleFolder } from './oracle-folder.js';

const FIXTURES = new URL('../fixtures/vlm/', import.meta.url).pathname;
const FOLDER = join(FIXTURES, 'smolvlm-a');
const ORACLES = ['smolvlm-a', 'internvl-a', 'llava-a', 'qwen2_vl-a', 'qwen2_5_vl-a'];

async function failures(folder: string, temporary: string): Promise<{ count: number; failed: Check[] }> {
  const failed: Check[] = [];
  let count = 0;
  for await (const check of allChecks(await openOracleFolder(folder), temporary)) {
    count++;
    if (!passed(check)) failed.push(check);
  }
  return { count, failed };
}

/** A folder's checkpoint in another layout, with its weights, images and reference: both give the same, bit for bit. */
async function inLayout(name: string, layout: string, to: string): Promise<string> {
  const folder = join(FIXTURES, name);
  for (const shared of ['model.safetensors', 'images', 'reference.json', 'reference.safetensors', 'lora_init']) {
    await cp(join(folder, shared), join(to, shared), { recursive: true });
  }
  await cp(join(folder, layout), to, { recursive: true });
  return to;
}

describe('conformance', () => {
  let temporary = '';
  beforeAll(async () => {
    temporary = await mkdtemp(join(tmpdir(), 'mpa-conformance-test-'));
    await loadTensorflow({ backend: 'native' });
  });
  afterAll(() => rm(temporary, { recursive: true }));

  it.each(ORACLES)('holds on %s, on both backends', async (name) => {
    const { count, failed } = await failures(join(FIXTURES, name), join(temporary, name));
    expect(failed).toEqual([]);
    expect(count).toBeGreaterThan(80);
  });

  it.each(ORACLES)('holds on %s in the layout of transformers 5', async (name) => {
    const folder = await inLayout(name, 'v5_layout', join(temporary, `${name}-v5`));
    const { failed } = await failures(folder, join(temporary, `${name}-v5-work`));
    expect(failed).toEqual([]);
  });

  it.each(['internvl-llama', 'llava-siglip', 'llava-phi'])(
    'holds on %s, which has what the others have not',
    async (name) => {
      const { count, failed } = await failures(join(FIXTURES, name), join(temporary, name));
      expect(failed).toEqual([]);
      expect(count).toBeGreaterThan(30);
    },
  );

  it('fails where the reference says otherwise', async () => {
    const folder = join(temporary, 'altered');
    await cp(FOLDER, folder, { recursive: true });
    const path = join(folder, 'reference.json');
    const reference = JSON.parse(await readFile(path, 'utf8')) as {
      cases: { loss: number; samples: { generated_ids: number[] }[] }[];
    };
    reference.cases[0]!.loss += 1e-4;
    reference.cases[1]!.samples[0]!.generated_ids[11]!++;
    await writeFile(path, JSON.stringify(reference));
    const { failed } = await failures(folder, join(temporary, 'b'));
    expect(failed.map(({ name }) => name)).toEqual([
      'case 1 multi_turn: processor sample 0 decoded',
      'case 1 multi_turn: onnx generated ids, sample 0 in batch',
      'case 1 multi_turn: onnx generated ids, sample 0 alone',
      'case 1 multi_turn: onnx for cuda generated ids, sample 0 in batch',
      'case 1 multi_turn: onnx for cuda generated ids, sample 0 alone',
      'case 0 single: tensorflow loss',
    ]);
  });
});
