import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Checkpoint } from '@mpa/vlm';
import type { InferenceSession } from 'onnxruntime-node';
import { exportGraph } from './export-graph.js';
import type { Graph } from './graph.js';
import { requireProvider } from './installed-providers.js';
import { kernelSet } from './kernel-set.js';
import { memoryNeeds, ONE_QUESTION, refuseIfTooLarge } from './memory-needs.js';
import { OnnxError } from './onnx-error.js';
import { OnnxModel } from './onnx-model.js';
import { linearKinds } from './precision.js';
import type { Precision } from './precision.js';
import { SessionThread } from './session-thread.js';
import { textGraph } from './text-graph.js';
import { visionGraph } from './vision-graph.js';

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
 * afterwards, the model must be. Throws {@link OnnxError} when a provider is not installed, ONNX Runtime refuses a graph or the model is larger than this
 * machine's memory, and CheckpointError for a weight that cannot be read. `kernels` are those of the first provider, unless graphs for
 * another one are to be checked without it.
 */
export async function loadModel(
  checkpoint: Pick<Checkpoint, 'config' | 'dir' | 'family' | 'generation' | 'shape' | 'weights'>,
  options: LoadOptions,
  kernels = kernelSet(options.executionProviders ?? ['cpu']),
): Promise<OnnxModel> {
  const { family, config, shape, weights } = checkpoint;
  const { precision = 'float32', attentionLayers = 1, cacheDir, threads, executionProviders = ['cpu'] } = options;
  if (!Number.isInteger(attentionLayers) || attentionLayers < 1 || attentionLayers > shape.textLayers) {
    throw new OnnxError(
      `attentionLayers must be 1 to ${shape.textLayers}, the model's layers, not ${attentionLayers}.`,
    );
  }
  executionProviders.forEach(requireProvider);
  const needs = await memoryNeeds(checkpoint, precision, ONE_QUESTION);
  if (executionProviders.join() === 'cpu') await refuseIfTooLarge(checkpoint, precision, needs);
  const kinds = await linearKinds(precision, kernels);
  const identity = { config, attentionLayers, kinds, kernels, files: await weightFiles(checkpoint.dir) };
  const sessions = new SessionThread();
  const open = async (tower: 'text' | 'vision', build: () => Graph): Promise<void> => {
    const place = {
      cacheDir,
      variant: [tower, precision, ...(kernels === 'cpu' ? [] : [kernels])].join('-'),
      checkpoint: checkpoint.dir,
    };
    const path = await exportGraph(place, identity, build);
    const packs = tower === 'vision' || needs.packed > 0;
    await sessions.open(tower, path, sessionOptions(threads, executionProviders, packs));
  };
  try {
    await open('vision', () => visionGraph(family, config, weights, kinds.vision));
    await open('text', () => textGraph(family, config, weights, { ...kinds.text, kernels, attentionLayers }));
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

function sessionOptions(
  threads: number | undefined,
  providers: readonly string[],
  packs: boolean,
): InferenceSession.SessionOptions {
  return {
    executionProviders: [...providers],
    graphOptimizationLevel: 'all',
    interOpNumThreads: 1,
    logSeverityLevel: 3,
    ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
    ...(packs ? {} : { extra: { session: { disable_prepacking: '1' } } }),
  };
}
