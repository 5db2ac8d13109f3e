import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadTensorflow, Parameters } from '@mpa/tensorflow';
import { openCheckpoint, openSafetensors } from '@mpa/vlm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { saveAdapter } from './save-adapter.js';

const MODELS = fileURLToPath(new URL('../../../test/fixtures/vlm/', import.meta.url));
const models = readdirSync(MODELS).filter((name) => existsSync(join(MODELS, name, 'lora_init')));
const work = mkdtempSync(join(tmpdir(), 'mpa-adapter-'));
beforeAll(async () => void (await loadTensorflow()));
afterAll(() => rmSync(work, { recursive: true }));

describe.each(models)('an adapter of %s', (name) => {
  it('has the names, shapes and settings of the one that PEFT saved for the same modules', async () => {
    const checkpoint = await openCheckpoint(join(MODELS, name));
    const modules = checkpoint.family.textModules(checkpoint.config, ['q_proj', 'v_proj']);
    const lora = { rank: 4, alpha: 8, modules };
    const parameters = new Parameters(checkpoint.weights, { kind: 'lora', ...lora }, () => 0.5);
    const folder = join(work, name);
    await saveAdapter(folder, checkpoint, parameters, lora);
    parameters.dispose();
    checkpoint.close();

    const theirs = join(MODELS, name, 'lora_init');
    const shapes = (of: string): object => {
      const file = openSafetensors(join(of, 'adapter_model.safetensors'));
      file.close();
      return Object.fromEntries(file.names.map((tensor) => [tensor, file.shape(tensor)]));
    };
    expect(shapes(folder)).toEqual(shapes(theirs));
    const settings = (of: string): Record<string, unknown> =>
      JSON.parse(readFileSync(join(of, 'adapter_config.json'), 'utf8')) as Record<string, unknown>;
    const { target_modules: named, base_model_name_or_path: base, ...rest } = settings(folder);
    expect(settings(theirs)).toMatchObject(rest);
    expect(base).toBe(join(MODELS, name));
    const pattern = new RegExp(`^(?:${settings(theirs)['target_modules'] as string})$`);
    for (const module of named as string[]) expect(module).toMatch(pattern);
  });
});
