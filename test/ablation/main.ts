import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { loadTensorflow } from '@mpa/tensorflow';
import { report } from './report.js';
import { Results } from './results.js';
import { ablate, ROWS_USE, validate, VALIDATION_SEED } from './study.js';

/** All that the report is made of. */
const SEEDS = [VALIDATION_SEED, 1, 2, 3, 4, 5];

const { seeds, images, out, docs } = flags();
await loadTensorflow({ backend: 'native' });
await mkdir(out, { recursive: true });
const results = await Results.open(join(out, 'results.jsonl'));
for (const seed of seeds) {
  const folder = join(out, `seed-${seed}`);
  if (seed === VALIDATION_SEED) await validate(images * ROWS_USE, folder, results);
  else await ablate(seed, images, folder, results);
}
if (docs !== undefined) await report(results, images, docs);

/** Some of the seeds are measured and kept; a report is then written only where `--docs` says. */
function flags(): {
  readonly seeds: readonly number[];
  readonly images: number;
  readonly out: string;
  readonly docs: string | undefined;
} {
  try {
    const { values } = parseArgs({
      options: {
        seeds: { type: 'string' },
        images: { type: 'string', default: '2000' },
        out: { type: 'string', default: 'runs/ablation' },
        docs: { type: 'string' },
      },
    });
    const docs = values.docs ?? (values.seeds === undefined ? 'docs' : undefined);
    return {
      seeds: values.seeds?.split(',').map(Number) ?? SEEDS,
      images: Number(values.images),
      out: resolve(values.out),
      docs: docs && resolve(docs),
    };
  } catch (error) {
    console.error(`ablation: ${(error as Error).message}`);
    process.exit(2);
  }
}
