import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const models = fileURLToPath(new URL('../../benchmarks/models', import.meta.url));

/** What `mpa demo` levels, and how: the settings that suit the starter models. */
export const demonstration = {
  /** The committed starter models. */
  teacher: join(models, 'starter-large'),
  student: join(models, 'starter-small'),
  /** Images drawn for each task: unlabeled ones to learn from, and labelled ones to measure with. */
  drawn: { train: 1000, test: 50 },
  /** Questions of all kinds, the same one not too often; as a rationale, what is read on the image. */
  annotator: {
    likeliestFirst: false,
    temperature: 0.8,
    diversity: { maxShare: 0.02, freely: 2 },
    signals: { rationale: { prompt: 'Read everything.', stepBreak: ', ' } },
  },
  /** What the S-VLM knows is rehearsed: else a few hundred words that it misread would make it forget how to read. */
  parity: { rehearse: 1 },
  /** Of what was tried on other images (docs/starter-models.md), what gains most. */
  training: {
    trainable: { kind: 'named', pattern: 'text_model.*(mlp|self_attn)' },
    learningRate: 5e-4,
    epochs: 2,
    batch: 16,
    maxGradientNorm: 5,
    reasoning: 1,
  },
} as const;
