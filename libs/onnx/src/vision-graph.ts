import type { Family } from '@mpa/vlm';
import { Graph } from './graph.js';
import { graphLayers } from './graph-layers.js';
import type { Attention } from './graph-layers.js';
import type { WeightSource } from './weight-source.js';

/**
 * The vision tower with its connector: `pixels` [N, 3, h, w] float32, `positionIds` [N, P] int32, and, if `masked`,
 * `patchMask` [N, P] int32 (0 where padding) -> `features` [N, F, hidden]. Without a mask attention is fused.
 */
export function visionGraph<C>(family: Family<C>, config: C, source: WeightSource, masked: boolean): Graph {
  const { tokensPerTile, hiddenSize } = family.shape(config);
  const graph = new Graph('vision');
  const pixels = graph.input('pixels', 'float32', ['tiles', 3, 'height', 'width']);
  const positionIds = graph.input('positionIds', 'int32', ['tiles', 'patches']);
  const mask = masked ? graph.input('patchMask', 'int32', ['tiles', 'patches']) : '';
  const layers = graphLayers(graph, source, visionAttention(mask));
  const features = family.vision(layers, config, { pixels, positionIds });
  graph.output('features', features, 'float32', ['tiles', tokensPerTile, hiddenSize]);
  return graph;
}

const visionAttention =
  (mask: string): Attention =>
  (graph, q, k, v, { heads, tower, layer }) => {
    const inputs = mask === '' ? [q, k, v] : [q, k, v, '', mask];
    return graph.node('MultiHeadAttention', inputs, { num_heads: heads }, `${tower}.${layer}`);
  };
