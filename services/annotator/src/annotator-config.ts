import { tasks } from '@mpa/answer-metrics';
import { endpointConfig, modelConfig } from '@mpa/inference';
import { RATIONALE_PROMPT, STEP_BREAK } from '@mpa/prompts';
import { imageAccess, regularExpression } from '@mpa/service-kit';
import { z } from 'zod';
import { MOST_DISTANCE } from './hash-index.js';

/** On with its settings, or `false`. */
const optional = <T extends z.ZodType>(settings: T) => z.union([z.literal(false), settings]);

/** What the L-VLM is to tell of each of its answers, for the parity service to compare and the trainer to learn from. */
const signals = z.strictObject({
  /** Log-probability of the answer, in all and per character. */
  confidence: z.boolean().default(true),
  /** Where the answer attends on the image, on a raster of `grid` x `grid` cells. Comes from the same run as the confidence. */
  attention: optional(z.strictObject({ grid: z.int().min(1).max(64).default(8) })).prefault({}),
  /** Other answers, drawn; those that match one another under the task's rule count as one. */
  nBest: optional(
    z.strictObject({
      answers: z.int().positive().default(4),
      temperature: z.number().positive().default(1),
    }),
  ).default(false),
  /** The way to the answer, in steps; `{question}` in the prompt stands for the question. */
  rationale: optional(
    z.strictObject({
      prompt: z.string().min(1).default(RATIONALE_PROMPT),
      /** Regular expression for what lies between two steps. */
      stepBreak: regularExpression.default(STEP_BREAK),
    }),
  ).default(false),
});

/** What the annotator's configuration file may hold. */
export const annotatorConfig = z.strictObject({
  /** The L-VLM as a checkpoint. */
  model: modelConfig.optional(),
  /** The L-VLM behind an endpoint, in the place of `model`. */
  endpoint: endpointConfig.optional(),
  images: imageAccess,
  /** Images in one run of the model. */
  batch: z.int().positive().default(8),
  /** Questions written for an image until one can be used. */
  candidates: z.int().positive().default(4),
  /** Whether the first of them is the likeliest; else it is drawn as the others are, for questions of more kinds. */
  likeliestFirst: z.boolean().default(true),
  /** Temperature of the drawn ones. */
  temperature: z.number().positive().default(1),
  seed: z.int().nonnegative().default(0),
  /** How often one question may be asked over the corpus. */
  diversity: z
    .strictObject({
      maxShare: z.number().min(0).max(1).default(0.3),
      freely: z.int().positive().default(50),
    })
    .prefault({}),
  /**
   * Which images are skipped because another one stands for them: `exact` those of the same bytes, `near` also those that look
   * the same, whose perceptual hashes differ in at most `distance` of 64 bits.
   */
  duplicates: z
    .strictObject({
      match: z.enum(['off', 'exact', 'near']).default('off'),
      distance: z.int().min(0).max(MOST_DISTANCE).default(4),
    })
    .prefault({}),
  signals: signals.prefault({}),
  /** Prompts by task, in the place of the built-in ones. */
  prompts: z.partialRecord(z.enum(tasks), z.string().min(1)).default({}),
});

/** See {@link annotatorConfig}. */
export type AnnotatorConfig = z.output<typeof annotatorConfig>;
