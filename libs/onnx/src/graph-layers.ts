import type { Activation, AttentionOptions, Layers, PatchEmbedOptions, Weights } from '@mpa/vlm';
import type { Graph, Value } from './graph.js';
import { float32Weight, linears } from './linear.js';
import type { LinearKind } from './linear.js';

/** Emits attention of one tower in one mode (vision, prefill, decode), as {@link Layers.attention}. */
export type Attention = (graph: Graph, q: Value, k: Value, v: Value, options: AttentionOptions) => Value;

/**
 * The layers of a model family as nodes of `graph`. Linear layers multiply as `kind` says; embeddings, norms and biases stay
 * float32. Attention, which differs between prefill and decoding, is passed in.
 */
export function graphLayers(graph: Graph, weights: Weights, kind: LinearKind, attention: Attention): Layers<Value> {
  const weight = (name: string): Value => float32Weight(graph, weights, name);
  return {
    block: (work) => work(),
    add: (a, b) => graph.node('Add', [a, b]),
    multiply: (a, b) => graph.node('Mul', [a, b]),
    addWeight: (x, name) => graph.node('Add', [x, weight(name)], {}, name),
    scale: (x, name) => graph.node('Mul', [x, weight(name)], {}, name),
    prependToken: (x, name) => prependToken(graph, x, weight(name)),
    dropFirst: (x) => dropFirst(graph, x),
    concat: (parts) => graph.node('Concat', parts, { axis: -1 }),
    activation: (x, kind) => activation(graph, x, kind),
    linear: (x, module, options) => {
      const y = linears[kind](graph, weights, x, module);
      return options?.bias === true ? graph.node('Add', [y, weight(`${module}.bias`)], {}, module) : y;
    },
    embedding: (ids, name) => graph.node('Gather', [weight(name), ids], { axis: 0 }, name),
    layerNorm: (x, module, epsilon) =>
      graph.node(
        'LayerNormalization',
        [x, weight(`${module}.weight`), weight(`${module}.bias`)],
        { axis: -1, epsilon: { float: epsilon } },
        module,
      ),
    rmsNorm: (x, module, epsilon) =>
      graph.node(
        'SimplifiedLayerNormalization',
        [x, weight(`${module}.weight`)],
        { axis: -1, epsilon: { float: epsilon } },
        module,
      ),
    attention: (q, k, v, options) => attention(graph, q, k, v, options),
    patchEmbed: (pixels, module, options) => patchEmbed(graph, weights, pixels, module, options),
    projectPatches: (patches, module) => projectPatches(graph, weights, patches, module),
    split: (x, count) => graph.nodes('Split', [x], { attributes: { axis: -1, num_outputs: count }, outputs: count }),
    joinPatches: (x, count) => joinPatches(graph, x, count),
    pixelShuffle: (x, scale) => pixelShuffle(graph, x, scale),
    placeImageFeatures: (x, features, ids, imageTokenId) => placeImageFeatures(graph, x, features, ids, imageTokenId),
  };
}

function activation(graph: Graph, x: Value, kind: Activation): Value {
  switch (kind) {
    case 'gelu':
      return graph.node('Gelu', [x]);
    case 'gelu_pytorch_tanh':
      return graph.node('FastGelu', [x]);
    case 'quick_gelu':
      return graph.node('QuickGelu', [x], { alpha: { float: 1.702 } });
    case 'silu': // x sigmoid(x)
      return graph.node('QuickGelu', [x], { alpha: { float: 1 } });
    case 'relu':
      return graph.node('Relu', [x]);
  }
}

// The token [1, 1, D], expanded to [N, 1, D], before [N, P, D].
function prependToken(graph: Graph, x: Value, token: Value): Value {
  const ones = graph.constant('int64', [1, 1]);
  const shape = graph.node('Concat', [graph.length(x, 0), ones], { axis: 0 });
  return graph.node('Concat', [graph.node('Expand', [graph.reshape(token, [1, 1, -1]), shape]), x], { axis: 1 });
}

function dropFirst(graph: Graph, x: Value): Value {
  const one = graph.constant('int64', [1]);
  return graph.node('Slice', [x, one, graph.length(x, 1), one]);
}

// [N, 3, h, w] -> Conv [N, D, h/p, w/p] -> [N, D, P] -> [N, P, D]
function patchEmbed(
  graph: Graph,
  weights: Weights,
  pixels: Value,
  module: string,
  { patchSize, bias }: PatchEmbedOptions,
): Value {
  const kernel = [patchSize, patchSize];
  const names = bias ? [`${module}.weight`, `${module}.bias`] : [`${module}.weight`];
  const inputs = [pixels, ...names.map((name) => float32Weight(graph, weights, name))];
  const x = graph.node('Conv', inputs, { kernel_shape: kernel, strides: kernel }, module);
  return graph.node('Transpose', [graph.reshape(x, [0, 0, -1])], { perm: [0, 2, 1] });
}

// [N, P, in] x [D, in]^T -> [N, P, D]
function projectPatches(graph: Graph, weights: Weights, patches: Value, module: string): Value {
  const name = `${module}.weight`;
  const kernel = graph.reshape(float32Weight(graph, weights, name), [weights.shape(name)[0]!, -1]);
  return graph.node('FusedMatMul', [patches, kernel], { transB: 1 }, module);
}

// [N, P, D] -> [N, P/count, count*D]
function joinPatches(graph: Graph, x: Value, count: number): Value {
  const width = graph.node('Mul', [graph.length(x, 2), graph.constant('int64', [count])]);
  const shape = graph.node('Concat', [graph.constant('int64', [0, -1]), width], { axis: 0 });
  return graph.node('Reshape', [x, shape]);
}

// With g the patches per side and s the scale:
// [N, g*g, D] -> [N, g/s, s, g/s, s*D] -> [N, g/s, g/s, s, s*D] -> [N, g*g/s^2, s^2*D]
function pixelShuffle(graph: Graph, x: Value, scale: number): Value {
  const int = (value: number): Value => graph.constant('int64', [value]);
  const patches = graph.cast(graph.length(x, 1), 'float32');
  const half = graph.node('Div', [graph.cast(graph.node('Sqrt', [patches]), 'int64'), int(scale)]); // g/s
  const width = graph.node('Mul', [graph.length(x, 2), int(scale)]); // s*D
  const split = graph.node('Concat', [graph.length(x, 0), half, int(scale), half, width], { axis: 0 });
  const blocks = graph.node('Transpose', [graph.node('Reshape', [x, split])], { perm: [0, 1, 3, 2, 4] });
  const merged = graph.node('Mul', [width, int(scale)]); // s^2*D
  const shape = graph.node('Concat', [graph.length(x, 0), int(-1), merged], { axis: 0 });
  return graph.node('Reshape', [blocks, shape]);
}

// The rows of x where ids is the image token, counted over the whole batch, are written over by the rows of features.
function placeImageFeatures(graph: Graph, x: Value, features: Value, ids: Value, imageTokenId: number): Value {
  const flatIds = graph.reshape(ids, [-1]);
  const isImage = graph.node('Equal', [flatIds, graph.constant('int32', imageTokenId)]);
  const rows = graph.node('Transpose', [graph.node('NonZero', [isImage])], { perm: [1, 0] }); // [M, 1]
  const width = graph.node('Concat', [graph.constant('int64', [-1]), graph.length(x, 2)], { axis: 0 });
  const flat = graph.node('Reshape', [x, width]);
  const placed = graph.node('ScatterND', [flat, rows, graph.node('Reshape', [features, width])]);
  return graph.node('Reshape', [placed, graph.node('Shape', [x])]);
}
