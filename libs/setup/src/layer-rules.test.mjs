import { ESLint } from 'eslint';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { REPOSITORY_ROOT } from './repository-root.mjs';

const eslint = new ESLint({
  cwd: REPOSITORY_ROOT,
  ruleFilter: ({ ruleId }) => ['@nx/enforce-module-boundaries', 'no-restricted-imports'].includes(ruleId),
});

/** What the layer rules say of a package's entry point, were it to hold this one import. */
async function complaints(packageFolder, imported) {
  const filePath = join(REPOSITORY_ROOT, packageFolder, 'src', 'index.ts');
  const [result] = await eslint.lintText(`import * as other from '${imported}';\nexport default other;\n`, {
    filePath,
  });
  return result.messages.map(({ ruleId, fatal, message }) => (fatal ? message : ruleId));
}

const boundaries = '@nx/enforce-module-boundaries';

describe('layer rules', () => {
  it.each([
    ['a library', 'libs/vlm', '@mpa/trainer'],
    ['a backend', 'libs/tensorflow', '@mpa/annotator'],
    ['another service', 'services/annotator', '@mpa/parity'],
    ['a pure library', 'libs/alignment', '@mpa/vlm'],
    ['a backend on another', 'libs/onnx', '@mpa/tensorflow'],
    ['the console', 'libs/console', '@mpa/inference'],
    ['a relative path', 'libs/vlm', '../../onnx/src/index.js'],
    ['a path inside a package of the layer below', 'libs/onnx', '../../vlm/src/index.js'],
  ])('forbid an import from %s: %s -> %s', async (_, from, to) => {
    expect(await complaints(from, to)).toContain(boundaries);
  });

  it('forbid an import past the entry point', async () => {
    expect(await complaints('libs/onnx', '@mpa/vlm/src/checkpoint.js')).toContain('no-restricted-imports');
  });

  it('forbid a cycle', async () => {
    expect(await complaints('libs/answer-metrics', '@mpa/prompts')).toContain(boundaries);
  });

  it.each([
    ['libs/onnx', '@mpa/vlm'],
    ['services/annotator', '@mpa/onnx'],
    ['libs/cli', '@mpa/annotator'],
    ['libs/console', '@mpa/streams'],
    ['libs/prompts', '@mpa/answer-metrics'],
  ])('allow what the design has: %s -> %s', async (from, to) => {
    expect(await complaints(from, to)).toEqual([]);
  });
});
