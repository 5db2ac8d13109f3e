import { totalmem } from 'node:os';
import type { CheckpointDescription, Weights } from '@mpa/vlm';
import type { Graph } from './graph.js';
import { OnnxError } from './onnx-error.js';
import { linearKinds, precisions } from './precision.js';
import type { Precision } from './precision.js';
import { textGraph } from './text-graph.js';
import { visionGraph } from './vision-graph.js';

/** What is answered at once. */
export interface Load {
  /** Prompts in a batch. */
  readonly batch: number;
  /** Tokens of a prompt with its answer. */
  readonly tokens: number;
}

/** Bytes of memory that a model takes on ONNX Runtime's CPU provider. */
export interface MemoryNeeds {
  /** Weights as they lie on disk and are mapped. */
  readonly weights: number;
  /** Copies of the text layers' matrices in the order in which ONNX Runtime multiplies; 0 where it is to do without. */
  readonly packed: number;
  /** Keys and values of every layer, before and after a token is added, and logits. */
  readonly cache: number;
  /** Node.js, the two libraries and their buffers. */
  readonly runtime: number;
  readonly total: number;
}

// Measured with SmolVLM-256M and -500M (`npm run interop -- full-size`): what is left when the rest is subtracted.
const RUNTIME = 0.35 * 2 ** 30;

/** Copies that are larger are not made: they save a twentieth of the time (SmolVLM-256M, two cores) and cost as much memory as the layers. */
const LARGEST_COPIES = 2 ** 29;

const BYTES = { float32: 4, int32: 4, int64: 8, uint8: 1, int8: 1, bool: 1 } as const;

/**
 * Bytes that a model of this description takes to answer, before any weight is read: those of its weights are exact, the
 * rest is reckoned. The vision tower's matrices are packed in place; those of the text layers are shared with the decode
 * loop, so that both they and their packed copies stay.
 */
export async function memoryNeeds(
  description: Pick<CheckpointDescription, 'family' | 'config' | 'shape'>,
  precision: Precision,
  { batch, tokens }: Load,
): Promise<MemoryNeeds> {
  const kinds = await linearKinds(precision, 'cpu');
  const { family, config, shape } = description;
  const weights = shapesOnly(family.weights(config));
  const vision = bytesOf(visionGraph(family, config, weights, kinds.vision));
  const text = bytesOf(textGraph(family, config, weights, { ...kinds.text, kernels: 'cpu', attentionLayers: 1 }));
  const kept = new Set(family.textModules(config).map((module) => `${module}.weight`));
  const copies = [...text].reduce((sum, [name, bytes]) => sum + (kept.has(name.split('/')[0]!) ? bytes : 0), 0);
  // Quantized matrices are multiplied in that order only.
  const packed = precision === 'float32' && copies > LARGEST_COPIES ? 0 : copies;
  const keys = shape.textLayers * 2 * shape.kvHeads * shape.headDim * tokens;
  const cache = 4 * batch * (2 * keys + 3 * shape.vocabSize);
  const mapped = sum(vision) + sum(text);
  return { weights: mapped, packed, cache, runtime: RUNTIME, total: mapped + packed + cache + RUNTIME };
}

/** Bytes of memory that this process may have: the machine's, or a container's limit. */
export function memoryLimit(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

/** Throws {@link OnnxError}, with the figures and what to do, for a model that needs more than this machine has. */
export async function refuseIfTooLarge(
  checkpoint: Pick<CheckpointDescription, 'dir' | 'family' | 'config' | 'shape'>,
  precision: Precision,
  { total }: MemoryNeeds,
): Promise<void> {
  const limit = memoryLimit();
  if (total <= limit) return;
  const others = precisions.map(async (kind) => ({ kind, ...(await memoryNeeds(checkpoint, kind, ONE_QUESTION)) }));
  const fitting = (await Promise.all(others)).find((other) => other.total <= limit);
  const advice = fitting
    ? `in ${fitting.kind} it needs ${gibibytes(fitting.total)}`
    : 'no precision fits; use a larger machine, or a server as the teacher';
  throw new OnnxError(
    `${checkpoint.dir} needs about ${gibibytes(total)} of memory in ${precision}, and this machine has ${gibibytes(limit)}; ${advice}.`,
  );
}

/** One question, as long as a prompt with a tiled image is. */
export const ONE_QUESTION: Load = { batch: 1, tokens: 2048 };

function gibibytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}

/** Bytes of each external tensor of a graph. */
function bytesOf(graph: Graph): Map<string, number> {
  const tensors = graph.externalWeights.flatMap(({ tensors }) => tensors);
  return new Map(tensors.map(({ name, type, dims }) => [name, dims.reduce((n, dim) => n * dim, BYTES[type])]));
}

function sum(bytes: ReadonlyMap<string, number>): number {
  return [...bytes.values()].reduce((total, n) => total + n, 0);
}

/** Weights of which only the shapes are asked. */
function shapesOnly(shapes: ReadonlyMap<string, readonly number[]>): Weights {
  return {
    names: [...shapes.keys()],
    shape: (name) => shapes.get(name)!,
    dtype: () => 'F32',
    read: (name) => {
      throw new Error(`${name} is asked for, though only shapes are known`);
    },
  };
}
