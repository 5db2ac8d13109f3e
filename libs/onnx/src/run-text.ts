import type { PromptBatch } from './prompt-batch.js';
import type { Feeds, OutputValues, SessionThread, TensorValues } from './session-thread.js';

/** What to ask of the text graph; see `textGraph` for the shapes. Left out, nothing is scored and nothing generated. */
export interface TextRequest {
  readonly targetRows?: readonly number[];
  readonly targets?: readonly number[];
  readonly attentionRows?: readonly number[];
  readonly rows?: readonly number[];
  readonly steps?: number;
  readonly minimum?: number;
  readonly endIds?: readonly number[];
  readonly temperature?: number;
  readonly topP?: number;
  readonly uniforms?: Float32Array;
}

/** Outputs of the text graph. */
export type TextOutput =
  'attention' | 'firstIds' | 'firstLogProbs' | 'logits' | 'restIds' | 'restLogProbs' | 'targetLogProbs';

/** Runs the text graph; only the named outputs are copied out of it. */
export async function runText<O extends TextOutput>(
  session: SessionThread,
  batch: PromptBatch,
  request: TextRequest,
  outputs: readonly O[],
): Promise<Record<O, OutputValues>> {
  const rows = request.rows ?? [0];
  const steps = request.steps ?? 0;
  const uniforms = request.uniforms ?? new Float32Array(rows.length * steps);
  const feeds: Feeds = {
    ...batch.feeds,
    targetRows: int32(request.targetRows ?? []),
    targets: int32(request.targets ?? []),
    attentionRows: int32(request.attentionRows ?? []),
    rows: int32(rows),
    steps: int64(steps),
    minimum: int64(request.minimum ?? 0),
    endIds: int64s(request.endIds ?? []),
    temperature: float32(request.temperature ?? 0),
    topP: float32(request.topP ?? 1),
    uniforms: { type: 'float32', data: uniforms, dims: [rows.length, steps] },
  };
  return session.run('text', feeds, outputs);
}

const int32 = (values: readonly number[]): TensorValues => ({
  type: 'int32',
  data: Int32Array.from(values),
  dims: [values.length],
});
const int64s = (values: readonly number[]): TensorValues => ({
  type: 'int64',
  data: BigInt64Array.from(values, BigInt),
  dims: [values.length],
});
const int64 = (value: number): TensorValues => ({ type: 'int64', data: BigInt64Array.of(BigInt(value)), dims: [] });
const float32 = (value: number): TensorValues => ({ type: 'float32', data: Float32Array.of(value), dims: [] });
