import { mapInputs } from '@mpa/vlm';
import type { Family, VisionInputs, Weights } from '@mpa/vlm';
import { Graph } from './graph.js';
import type { Value } from './graph.js';
import { graphLayers } from './graph-layers.js';
import type { Attention } from './graph-layers.js';
import type { LinearKind } from './linear.js';
import { rotateTokens } from './rotary.js';

/**
 * The vision tower with its connector: the family's vision inputs -> `features` [N, F, hidden] float32. Every patch sees
 * every patch of its view, or of its window.
 */
export function visionGraph<C>(family: Family<C>, config: C, weights: Weights, kind: LinearKind): Graph {
  const { hiddenSize } = family.shape(config);
  const graph = new Graph('vision');
  const inputs = mapInputs(family.visionInputs(config), ({ type, shape }, name) => graph.input(name, type, shape));
  const features = family.vision(graphLayers(graph, weights, kind, visionAttention(inputs)), config, inputs);
  graph.output('features', features, 'float32', ['views', 'tokens', hiddenSize]);
  return graph;
}

function visionAttention({ positionIds, windows }: VisionInputs<Value>): Attention {
  return (graph, q, k, v, { heads, headDim, tower, layer, rotary, windowed }) => {
    const rotate = (x: Value): Value => (rotary ? rotateTokens(graph, x, positionIds, { heads, headDim, rotary }) : x);
    const projected = [rotate(q), rotate(k), v];
    const attend = (inputs: readonly Value[]): Value =>
      graph.node('MultiHeadAttention', inputs, { num_heads: heads }, `${tower}.${layer}`);
    return windowed ? inWindows(graph, projected, windows!, attend) : attend(projected);
  };
}

// [N, P, D] -> [N*W, S, D] -> attention with the missing patches hidden -> [N, P, D]
function inWindows(
  graph: Graph,
  projected: readonly Value[],
  windows: Value,
  attend: (inputs: readonly Value[]) => Value,
): Value {
  const [like] = projected as [Value];
  const { patches, slots, seen, shape } = graph.once(`windows ${windows}`, () => windowIndices(graph, windows, like));
  const width = graph.length(like, 2);
  const rows = graph.node('Concat', [graph.constant('int64', [-1]), width], { axis: 0 });
  const windowed = projected.map((x) => {
    const taken = graph.node('Gather', [graph.node('Reshape', [x, rows]), patches], { axis: 0 });
    return graph.node('Reshape', [taken, graph.node('Concat', [shape, width], { axis: 0 })]);
  });
  const y = graph.node('Reshape', [attend([...windowed, '', seen]), rows]);
  return graph.node('Reshape', [graph.node('Gather', [y, slots], { axis: 0 }), graph.node('Shape', [like])]);
}

interface WindowIndices {
  /** Which patch [N*P] is in each slot [N*W*S]; the first one where a patch is missing. */
  readonly patches: Value;
  /** Which slot [N*W*S] each patch [N*P] is in. */
  readonly slots: Value;
  /** int32 [N*W, S]: 0 where a patch is missing. */
  readonly seen: Value;
  /** int64 [N*W, S]. */
  readonly shape: Value;
}

function windowIndices(graph: Graph, windows: Value, like: Value): WindowIndices {
  const int = (value: number): Value => graph.constant('int64', value);
  const count = graph.length(windows, 0);
  const perView = graph.length(like, 1); // P
  const range = (end: Value): Value => graph.node('Range', [int(0), graph.reshape(end, []), int(1)]);
  const first = graph.reshape(graph.node('Mul', [range(count), perView]), [-1, 1, 1]);
  const within = graph.cast(windows, 'int64'); // [N, W, S]
  const present = graph.node('GreaterOrEqual', [within, int(0)]);
  const filled = graph.node('Where', [present, graph.node('Add', [within, first]), int(0)]);
  const patches = graph.reshape(filled, [-1]);
  // Slots with a patch, in order, and the patches in them: the inverse is a scatter.
  const flags = graph.reshape(present, [-1]);
  const used = graph.reshape(graph.node('NonZero', [flags]), [-1]);
  const inUse = graph.node('Gather', [patches, used], { axis: 0 });
  const blank = graph.node('Expand', [int(0), graph.node('Mul', [count, perView])]);
  return {
    patches,
    slots: graph.node('ScatterElements', [blank, inUse, used], { axis: 0 }),
    seen: graph.node('Flatten', [graph.cast(present, 'int32')], { axis: 2 }),
    shape: graph.node('Concat', [graph.node('Mul', [count, graph.length(windows, 1)]), graph.length(windows, 2)], {
      axis: 0,
    }),
  };
}
