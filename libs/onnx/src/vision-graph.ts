import type { Family, Weights } from '@mpa/vlm';
import { Graph } from './graph.js';
import { graphLayers } from './graph-layers.js';
import type { Attention } from './graph-layers.js';
import type { LinearKind } from './linear.js';

/**
 * The vision tower with its connector: `pixels` [N, 3, h, w] float32 and `positionIds` [N, P] int32 -> `features`
 * [N, F, hidden]. Every patch sees every patch of its tile.
 */
export function visionGraph<C>(family: Family<C>, config: C, weights: Weights, kind: LinearKind): Graph {
  const { tokensPerTile, hiddenSize } = family.shape(config);
  const graph = new Graph('vision');
  const pixels = graph.input('pixels', 'float32', ['tiles', 3, 'height', 'width']);
  const positionIds = graph.input('positionIds', 'int32', ['tiles', 'patches']);
  const features = family.vision(graphLayers(graph, weights, kind, attention), config, { pixels, positionIds });
  graph.output('features', features, 'float32', ['tiles', tokensPerTile, hiddenSize]);
  return graph;
}

const attention: Attention = (graph, q, k, v, { heads, tower, layer }) =>
  graph.node('MultiHeadAttention', [q, k, v], { num_heads: heads }, `${tower}.${layer}`);
