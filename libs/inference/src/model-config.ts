import { z } from 'zod';

/** Which model a service runs, and how; a part of its configuration. */
export const modelConfig = z.strictObject({
  /** Hugging Face checkpoint folder. */
  checkpoint: z.string().min(1),
  /** Folder for exported graphs, made if missing. */
  cacheDir: z.string().min(1),
  precision: z.enum(['float32', 'int8', 'int4']).default('float32'),
  /** Threads of one operation; default all cores. */
  threads: z.int().positive().optional(),
  /** ONNX Runtime's providers in order of preference. */
  executionProviders: z.array(z.string()).nonempty().default(['cpu']),
  /** Most tokens of an answer. */
  maxNewTokens: z.int().positive().default(64),
});

/** See {@link modelConfig}. */
export type ModelConfig = z.output<typeof modelConfig>;
