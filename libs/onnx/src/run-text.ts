import { Tensor } from 'onnxruntime-node';
import type { InferenceSession } from 'onnxruntime-node';
import type { PromptBatch } from './prompt-batch.js';

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
  session: InferenceSession,
  batch: PromptBatch,
  request: TextRequest,
  outputs: readonly O[],
): Promise<Record<O, Tensor>> {
  const rows = request.rows ?? [0];
  const steps = request.steps ?? 0;
  const feeds = {
    ...batch.feeds,
    targetRows: int32(request.targetRows ?? []),
    targets: int32(request.targets ?? []),
    attentionRows: int32(request.attentionRows ?? []),
    rows: int32(rows),
    steps: int64(steps),
    minimum: int64(request.minimum ?? 0),
    endIds: new Tensor('int64', BigInt64Array.from(request.endIds ?? [], BigInt), [request.endIds?.length ?? 0]),
    temperature: float32(request.temperature ?? 0),
    topP: float32(request.topP ?? 1),
    uniforms: new Tensor('float32', request.uniforms ?? new Float32Array(rows.length * steps), [rows.length, steps]),
  };
  return (await session.run(feeds, outputs)) as Record<O, Tensor>;
}

const int32 = (values: readonly number[]): Tensor => new Tensor('int32', Int32Array.from(values), [values.length]);
const int64 = (value: number): Tensor => new Tensor('int64', BigInt64Array.of(BigInt(value)), []);
const float32 = (value: number): Tensor => new Tensor('float32', Float32Array.of(value), []);
