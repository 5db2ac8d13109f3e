import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const models = fileURLToPath(new URL('../../benchmarks/models', import.meta.url));

/** What `mpa demo` levels, and how: the settings that suit the starter models. */
export const demonstration = {
  /** The committed starter models. */
  teacher: join(models, 'starter-large'),
  student: join(models, 'starter-small'),
  /** Images drawn for each task: unlabeled ones to learn from, and labelled ones to measure with. */
  drawn: { train: 110, test: 20 },
  /** Questions of all kinds, the same one not too often. */
  annotator: { likeliestFirst: false, temperature: 0.8, diversity: { maxShare: 0.02, freely: 2 } },
  /** Of what was tried on other images (docs/starter-models.md), what gains most. */
  training: { trainable: { kind: 'full' }, learningRate: 3e-4, epochs: 4, batch: 16 },
} as const;
