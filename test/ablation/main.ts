import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { loadTensorflow } from '@mpa/tensorflow';
import { report } from './report.js';
import { Results } from './results.js';
import { ablate, ROWS_USE, validate, VALIDATION_SEED } from './study.js';

const values = flags();
const images = Number(values.images);
const out = resolve(values.out);
await loadTensorflow({ backend: 'native' });
await mkdir(out, { recursive: true });
const results = await Results.open(join(out, 'results.jsonl'));
for (const seed of values.seeds.split(',').map(Number)) {
  const folder = join(out, `seed-${seed}`);
  if (seed === VALIDATION_SEED) await validate(images * ROWS_USE, folder, results);
  else await ablate(seed, images, folder, results);
}
await report(results, images, resolve(values.docs));

function flags(): { readonly seeds: string; readonly images: string; readonly out: string; readonly docs: string } {
  try {
    return parseArgs({
      options: {
        seeds: { type: 'string', default: `${VALIDATION_SEED},1,2,3,4,5` },
        images: { type: 'string', default: '2000' },
        out: { type: 'string', default: 'runs/ablation' },
        docs: { type: 'string', default: 'docs' },
      },
    }).values;
  } catch (error) {
    console.error(`ablation: ${(error as Error).message}`);
    process.exit(2);
  }
}
