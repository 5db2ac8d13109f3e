import { z } from 'zod';
import { CheckpointError } from './checkpoint-error.js';

/** A positive whole number. */
export const size = z.number().int().positive();

/** The side of a square: one number, or two that are equal. */
export const squareSide = z.union(
  [
    size,
    z
      .tuple([size, size])
      .refine(([height, width]) => height === width)
      .transform(([side]) => side),
  ],
  { error: 'must be a positive whole number or two equal ones; only squares are supported' },
);

/** A non-linearity by its name in Hugging Face configs, some of which are two names of one function. */
export const activation = z
  .enum(['gelu', 'gelu_pytorch_tanh', 'gelu_new', 'quick_gelu', 'silu', 'relu'])
  .transform((name) => (name === 'gelu_new' ? 'gelu_pytorch_tanh' : name));

/** One number per colour channel. */
export const channels = z.tuple([z.number(), z.number(), z.number()]);

/** Reads a JSON file by its schema. Throws CheckpointError naming the file and the field that is missing, wrong or not supported. */
export function readBySchema<T>(file: string, schema: z.ZodType<T>, json: unknown): T {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw new CheckpointError(`${file}: ${issue.path.join('.')}: ${issue.message}`);
}

/** Throws CheckpointError, saying `what` it is in config.json, unless `part` divides `whole`. */
export function checkDivides(whole: number, part: number, what: string): void {
  if (Number.isInteger(whole / part)) return;
  throw new CheckpointError(`config.json: ${what}: ${whole} is not a multiple of ${part}`);
}
