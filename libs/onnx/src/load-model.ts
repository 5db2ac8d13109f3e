import type { Family, Weights } from '@mpa/vlm';
import { InferenceSession } from 'onnxruntime-node';
import { exportGraph } from './export-graph.js';
import type { Graph } from './graph.js';
import { OnnxError } from './onnx-error.js';
import { OnnxModel } from './onnx-model.js';
import { textGraph } from './text-graph.js';
import { visionGraph } from './vision-graph.js';
import { WeightSource } from './weight-source.js';
import type { Precision } from './weight-source.js';

/** A checkpoint to run. */
export interface ModelSource<C> {
  readonly family: Family<C>;
  readonly config: C;
  readonly weights: Weights;
  /** Changes whenever a weight does; the same graph is then not exported twice. */
  readonly fingerprint: string;
}

export interface LoadOptions {
  /** How matrices are stored and multiplied; default float32. */
  readonly precision?: Precision;
  /** Threads of one operation; default all cores. */
  readonly threads?: number;
  /** Folder for exported graphs, made if missing; one model takes as much disk as its weights. */
  readonly cacheDir: string;
  /** ONNX Runtime's providers in order of preference; default CPU. */
  readonly executionProviders?: readonly string[];
  /** From how many of the last text layers attention maps are recorded when scoring; default 1. */
  readonly attentionLayers?: number;
}

/**
 * Exports a checkpoint to ONNX graphs, unless `cacheDir` has them, and opens them. Close the model when done. Throws
 * {@link OnnxError} when ONNX Runtime refuses a graph, and CheckpointError for a weight that cannot be read.
 */
export async function loadModel<C>(source: ModelSource<C>, options: LoadOptions): Promise<OnnxModel> {
  const { family, config, fingerprint } = source;
  const { precision = 'float32', attentionLayers = 1, cacheDir } = options;
  const weights = new WeightSource(source.weights, precision);
  const open = async (name: string, build: () => Graph): Promise<InferenceSession> => {
    const path = await exportGraph(cacheDir, name, { fingerprint, config, precision, attentionLayers }, build);
    try {
      return await InferenceSession.create(path, sessionOptions(options));
    } catch (error) {
      throw new OnnxError(`ONNX Runtime cannot load ${path}: ${(error as Error).message}`, { cause: error });
    }
  };
  const vision = await open('vision', () => visionGraph(family, config, weights, false));
  const text = await open('text', () => textGraph(family, config, weights, attentionLayers));
  return new OnnxModel(family.shape(config), {
    vision,
    text,
    maskedVision: () => open('masked-vision', () => visionGraph(family, config, weights, true)),
  });
}

function sessionOptions({ threads, executionProviders }: LoadOptions): InferenceSession.SessionOptions {
  return {
    executionProviders: [...(executionProviders ?? ['cpu'])],
    graphOptimizationLevel: 'all',
    interOpNumThreads: 1,
    logSeverityLevel: 3,
    ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
  };
}
