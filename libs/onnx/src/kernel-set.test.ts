import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { openCheckpoint } from '@mpa/vlm';
import { describe, expect, it } from 'vitest';
import { withoutCudaKernel } from './cuda-kernels.fixture.js';
import { kernelSet } from './kernel-set.js';
import type { KernelSet } from './kernel-set.js';
import { linearKinds, precisions } from './precision.js';
import type { Precision } from './precision.js';
import { textGraph } from './text-graph.js';
import { visionGraph } from './vision-graph.js';

// Of every family: grouped heads of keys, heads of 6 and of 20 channels, windows, M-RoPE, every activation.
const fixtures = fileURLToPath(new URL('../../../test/fixtures/vlm/', import.meta.url));
const checkpoints = readdirSync(fixtures, { withFileTypes: true }).flatMap((entry) =>
  entry.isDirectory() ? [entry.name] : [],
);

/** Nodes of both graphs that CUDA has no kernel for. */
async function missing(name: string, precision: Precision, kernels: KernelSet): Promise<string[]> {
  const checkpoint = await openCheckpoint(`${fixtures}${name}`);
  const { family, config, weights } = checkpoint;
  const kinds = await linearKinds(precision, kernels);
  const graphs = [
    visionGraph(family, config, weights, kinds.vision),
    textGraph(family, config, weights, { ...kinds.text, kernels, attentionLayers: 1 }),
  ];
  checkpoint.close();
  return graphs.flatMap((graph) => {
    const tensors = graph.externalWeights.flatMap((part) => part.tensors);
    return withoutCudaKernel(graph.build(), tensors);
  });
}

it('is that of the first provider', () => {
  expect(kernelSet(['cpu'])).toBe('cpu');
  expect(kernelSet(['cuda', 'cpu'])).toBe('cuda');
});

describe.each(checkpoints)('graphs of %s', (name) => {
  it.each(precisions)('have a CUDA kernel for every node in %s', async (precision) => {
    expect(await missing(name, precision, 'cuda')).toEqual([]);
  });

  it('have the CPU kernels that CUDA lacks only where they are asked for', async () => {
    expect(await missing(name, 'float32', 'cpu')).toEqual(
      [
        'com.microsoft.GroupQueryAttention(float32,float32,float32,,,int32,int32)',
        'com.microsoft.GroupQueryAttention(float32,float32,float32,float32,float32,int32,int32)',
      ].toSorted(),
    );
  });
});
