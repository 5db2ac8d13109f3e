import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Checkpoint } from '@mpa/vlm';
import { InferenceSession } from 'onnxruntime-node';
import { exportGraph } from './export-graph.js';
import type { Graph } from './graph.js';
import { OnnxError } from './onnx-error.js';
import { OnnxModel } from './onnx-model.js';
import { textGraph } from './text-graph.js';
import { visionGraph } from './vision-graph.js';
import { WeightSource } from './weight-source.js';
import type { Precision } from './weight-source.js';

export interface LoadOptions {
  /** Folder for exported graphs, made if missing; one model takes as much disk as its weights. */
  readonly cacheDir: string;
  /** How matrices are stored and multiplied; default float32. */
  readonly precision?: Precision;
  /** Threads of one operation; default all cores. */
  readonly threads?: number;
  /** ONNX Runtime's providers in order of preference; default CPU. */
  readonly executionProviders?: readonly string[];
  /** From how many of the last text layers attention maps are recorded when scoring; default 1. */
  readonly attentionLayers?: number;
}

/**
 * Exports an open checkpoint to ONNX graphs, unless `cacheDir` has them, and opens them; the checkpoint may be closed
 * afterwards, the model must be. Throws {@link OnnxError} when ONNX Runtime refuses a graph, and CheckpointError for a
 * weight that cannot be read.
 */
export async function loadModel(
  checkpoint: Pick<Checkpoint, 'config' | 'dir' | 'family' | 'generation' | 'shape' | 'weights'>,
  options: LoadOptions,
): Promise<OnnxModel> {
  const { family, config, shape } = checkpoint;
  const { precision = 'float32', attentionLayers = 1, cacheDir } = options;
  if (!Number.isInteger(attentionLayers) || attentionLayers < 1 || attentionLayers > shape.textLayers) {
    throw new OnnxError(
      `attentionLayers must be 1 to ${shape.textLayers}, the model's layers, not ${attentionLayers}.`,
    );
  }
  const weights = new WeightSource(checkpoint.weights, precision);
  const identity = { config, attentionLayers, files: await weightFiles(checkpoint.dir) };
  const open = async (tower: string, build: () => Graph): Promise<InferenceSession> => {
    const place = { cacheDir, variant: `${tower}-${precision}`, checkpoint: checkpoint.dir };
    const path = await exportGraph(place, identity, build);
    try {
      return await InferenceSession.create(path, sessionOptions(options));
    } catch (error) {
      throw new OnnxError(`ONNX Runtime cannot load ${path}: ${(error as Error).message}`, { cause: error });
    }
  };
  const vision = await open('vision', () => visionGraph(family, config, weights));
  try {
    const text = await open('text', () => textGraph(family, config, weights, attentionLayers));
    const endIds = checkpoint.generation.eosTokenIds.filter((id) => id < shape.vocabSize);
    return new OnnxModel(shape, { vision, text }, endIds);
  } catch (error) {
    await vision.release();
    throw error;
  }
}

// What changes when a weight file is written anew.
async function weightFiles(dir: string): Promise<readonly string[]> {
  const names = (await readdir(dir)).filter((name) => name.endsWith('.safetensors')).sort();
  return Promise.all(
    names.map(async (name) => {
      const { ino, size, mtimeNs, ctimeNs } = await stat(join(dir, name), { bigint: true });
      return [name, ino, size, mtimeNs, ctimeNs].join(' ');
    }),
  );
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
