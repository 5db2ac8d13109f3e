import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Checkpoint } from '@mpa/vlm';
import type { InferenceSession } from 'onnxruntime-node';
import { hasExactInt8 } from './exact-int8.js';
import { exportGraph } from './export-graph.js';
import type { Graph } from './graph.js';
import type { LinearKind } from './linear.js';
import { OnnxError } from './onnx-error.js';
import { OnnxModel } from './onnx-model.js';
import { SessionThread } from './session-thread.js';
import { textGraph } from './text-graph.js';
import { visionGraph } from './vision-graph.js';

/**
 * How matrices are stored and multiplied. int8 and int4 round the weights of linear layers, and activations to 8 bits for the
 * product; embeddings, norms, biases, attention and the KV cache stay float32. int4 is the text decoder's layers:
 * its head, whose rounding goes straight into the logits, and the vision tower have 8 bits.
 */
export type Precision = 'float32' | 'int8' | 'int4';

export interface LoadOptions {
  /** Folder for exported graphs, made if missing; one model takes as much disk as its weights. */
  readonly cacheDir: string;
  /** Default float32. */
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
  const { family, config, shape, weights } = checkpoint;
  const { precision = 'float32', attentionLayers = 1, cacheDir, threads, executionProviders = ['cpu'] } = options;
  if (!Number.isInteger(attentionLayers) || attentionLayers < 1 || attentionLayers > shape.textLayers) {
    throw new OnnxError(
      `attentionLayers must be 1 to ${shape.textLayers}, the model's layers, not ${attentionLayers}.`,
    );
  }
  const kinds = await linearKinds(precision, executionProviders);
  const identity = { config, attentionLayers, kinds, files: await weightFiles(checkpoint.dir) };
  const sessions = new SessionThread();
  const open = async (tower: 'text' | 'vision', build: () => Graph): Promise<void> => {
    const place = { cacheDir, variant: `${tower}-${precision}`, checkpoint: checkpoint.dir };
    await sessions.open(tower, await exportGraph(place, identity, build), sessionOptions(threads, executionProviders));
  };
  try {
    await open('vision', () => visionGraph(family, config, weights, kinds.vision));
    await open('text', () => textGraph(family, config, weights, { ...kinds.text, attentionLayers }));
  } catch (error) {
    await sessions.close();
    throw error;
  }
  const endIds = checkpoint.generation.eosTokenIds.filter((id) => id < shape.vocabSize);
  return new OnnxModel(shape, sessions, family.visionInputs(config), endIds);
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

interface LinearKinds {
  readonly vision: LinearKind;
  readonly text: { readonly layers: LinearKind; readonly head: LinearKind };
}

async function linearKinds(precision: Precision, executionProviders: readonly string[]): Promise<LinearKinds> {
  if (precision === 'float32') return { vision: 'float32', text: { layers: 'float32', head: 'float32' } };
  const vision = (await hasExactInt8(executionProviders)) ? 'rows8' : 'blocks8';
  return { vision, text: { layers: precision === 'int8' ? 'blocks8' : 'blocks4', head: 'blocks8' } };
}

function sessionOptions(threads: number | undefined, providers: readonly string[]): InferenceSession.SessionOptions {
  return {
    executionProviders: [...providers],
    graphOptimizationLevel: 'all',
    interOpNumThreads: 1,
    logSeverityLevel: 3,
    ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
  };
}
