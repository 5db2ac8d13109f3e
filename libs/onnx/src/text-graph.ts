import type { Family, Weights } from '@mpa/vlm';
import { Graph } from './graph.js';
import type { Value } from './graph.js';
import { graphLayers } from './graph-layers.js';
import type { KernelSet } from './kernel-set.js';
import type { LinearKind } from './linear.js';
import { nextToken } from './next-token.js';
import type { TokenChoice } from './next-token.js';
import { RotaryTable, rotateTokens } from './rotary.js';
import { attentionMap, paddedHeadDim, textAttention } from './text-attention.js';
import type { AttentionRecord, LayerCaches, Stretch } from './text-attention.js';

/** How a text graph is made. */
export interface TextGraphOptions {
  /** How the layers multiply, and how the head does. */
  readonly layers: LinearKind;
  readonly head: LinearKind;
  readonly kernels: KernelSet;
  /** From how many of the last layers attention is put out. */
  readonly attentionLayers: number;
}

/**
 * The text decoder, one graph for generation and scoring, so that its weights are in memory once:
 *
 *     ids, lengths, features -> prefill -+-> hidden[targetRows] -> logits, targetLogProbs        (scoring)
 *                                        +-> attention of the last layers from attentionRows     (scoring)
 *                                        +-> KV cache of each of `rows` -> first token -> Loop   (generation)
 *
 * Prompts are padded on the right; a row of the cache is its own length. The Loop carries the last token, which rows have
 * ended and the cache, stops when all rows have ended, and scans out ids and log-probabilities.
 *
 * Inputs: `ids` int32 [B, S]; `lengths` int32 [B]; `features` float32 [M, hidden], one row per image token of the
 * batch; with M-RoPE `positions` int32 [B, S, 3] and `nextPositions` int32 [B], those of the first new tokens; `targetRows`,
 * `targets` int32 [K], `attentionRows` int32 [A], places in the flattened [B * S]; `rows` int32 [R], the prompt of each answer;
 * `steps` int64, the most new tokens; `endIds` int64 [E]; `minimum`, `temperature`, `topP`,
 * `uniforms` as in {@link TokenChoice}.
 * Outputs: `logits` [K, V], `targetLogProbs` [K], `attention` [layers, A, S], `firstIds`, `firstLogProbs` [R], `restIds`,
 * `restLogProbs` [steps - 1 or fewer, R].
 */
export function textGraph<C>(family: Family<C>, config: C, weights: Weights, options: TextGraphOptions): Graph {
  const { layers, head, kernels, attentionLayers } = options;
  const graph = new Graph('text');
  const { hiddenSize, vocabSize, textRotary } = family.shape(config);
  const ids = graph.input('ids', 'int32', ['batch', 'tokens']);
  const lengths = graph.input('lengths', 'int32', ['batch']);
  const features = graph.input('features', 'float32', ['images', hiddenSize]);
  const steps = graph.input('steps', 'int64', []);
  const positions = textRotary.axes && graph.input('positions', 'int32', ['batch', 'tokens', 3]);
  const nextPositions = positions ? graph.input('nextPositions', 'int32', ['batch']) : lengths;

  // Positions never run ahead of tokens: an image has at least as many tokens as its longer side.
  const rotary = new RotaryTable(graph, graph.node('Add', [graph.reshape(graph.length(ids, 1), []), steps]));
  const records: AttentionRecord[] = [];
  const attention = textAttention(kernels, promptStretch(graph, ids, rotary, positions), { past: [], records });
  const hidden = family.text(graphLayers(graph, weights, layers, attention), config, { ids, imageFeatures: features });
  const flat = graph.reshape(hidden, [-1, hiddenSize]); // [B * S, hidden]
  const model: TextModel = {
    hidden: (body, token, stretch, caches) =>
      family.text(graphLayers(body, weights, layers, textAttention(kernels, stretch, caches)), config, { ids: token }),
    logits: (body, state) => family.head(graphLayers(body, weights, head, attention), config, state),
    hiddenSize,
  };
  score(graph, model, flat, records.slice(-attentionLayers));
  const tokens = graph.length(ids, 1);
  generate(graph, model, { flat, lengths, nextPositions, rotary, steps, tokens, vocabSize, records });
  return graph;
}

interface TextModel {
  readonly hiddenSize: number;
  hidden(graph: Graph, ids: Value, stretch: Stretch, caches: LayerCaches): Value;
  logits(graph: Graph, hidden: Value): Value;
}

// All rows as long as the longest: padding is on the right, so no real token sees it.
function promptStretch(graph: Graph, ids: Value, rotary: RotaryTable, positions: Value | undefined): Stretch {
  const length = graph.cast(graph.length(ids, 1), 'int32');
  const last = graph.node('Sub', [length, graph.constant('int32', 1)]);
  return {
    rotate: (_, x, turned) =>
      positions
        ? rotateTokens(graph, x, positions, turned)
        : rotary.rotate(graph, x, graph.constant('int64', [0]), turned),
    lastPositions: graph.node('Expand', [last, graph.length(ids, 0)]),
    length: graph.reshape(length, []),
  };
}

function score(graph: Graph, model: TextModel, flat: Value, records: readonly AttentionRecord[]): void {
  const targetRows = graph.input('targetRows', 'int32', ['targets']);
  const targets = graph.input('targets', 'int32', ['targets']);
  const attentionRows = graph.input('attentionRows', 'int32', ['attentions']);
  const logits = model.logits(graph, graph.node('Gather', [flat, targetRows], { axis: 0 }));
  const logProbs = graph.node('LogSoftmax', [logits], { axis: -1 });
  const column = graph.node('Unsqueeze', [targets, graph.constant('int64', [1])]);
  const targetLogProbs = graph.node('GatherElements', [logProbs, column], { axis: 1 });
  const maps = records.map((record) =>
    graph.node('Unsqueeze', [attentionMap(graph, record, attentionRows), graph.constant('int64', [0])]),
  );
  graph.output('logits', logits, 'float32', ['targets', 'vocabulary']);
  graph.output('targetLogProbs', graph.reshape(targetLogProbs, [-1]), 'float32', ['targets']);
  graph.output('attention', graph.node('Concat', maps, { axis: 0 }), 'float32', ['layers', 'attentions', 'tokens']);
}

interface Prefill {
  readonly flat: Value;
  readonly lengths: Value;
  readonly nextPositions: Value;
  readonly rotary: RotaryTable;
  readonly steps: Value;
  readonly tokens: Value;
  readonly vocabSize: number;
  readonly records: readonly AttentionRecord[];
}

function generate(graph: Graph, model: TextModel, prefill: Prefill): void {
  const rows = graph.input('rows', 'int32', ['rows']);
  const endIds = graph.input('endIds', 'int64', ['ends']);
  const choice: TokenChoice = {
    temperature: graph.input('temperature', 'float32', []),
    topP: graph.input('topP', 'float32', []),
    uniforms: graph.input('uniforms', 'float32', ['rows', 'steps']),
    minimum: graph.input('minimum', 'int64', []),
    endBias: endBias(graph, endIds, prefill.vocabSize),
  };
  const perRow = (x: Value): Value => graph.node('Gather', [x, rows], { axis: 0 });
  const lengths = perRow(prefill.lengths);
  const int = (value: number): Value => graph.constant('int32', value);
  const start = graph.node('Mul', [rows, graph.cast(prefill.tokens, 'int32')]);
  const last = graph.node('Sub', [graph.node('Add', [start, lengths]), int(1)]);
  const logits = model.logits(graph, graph.node('Gather', [prefill.flat, last], { axis: 0 }));
  const first = nextToken(graph, logits, choice, graph.constant('int64', 0));
  const ended = isEnd(graph, first.ids, endIds);
  const caches = prefill.records.flatMap(({ key, value }) => [perRow(key), perRow(value)]);

  const nextPositions = perRow(prefill.nextPositions);
  const body = decodeBody(graph, model, { ...prefill, lengths, nextPositions, choice, endIds });
  const one = graph.constant('int64', 1);
  const trips = graph.node('Max', [graph.node('Sub', [prefill.steps, one]), graph.constant('int64', 0)]);
  const outputs = graph.nodes('Loop', [trips, anyLeft(graph, ended), first.ids, ended, ...caches], {
    attributes: { body: body.build() },
    outputs: 2 + caches.length + 2,
  });
  graph.output('firstIds', first.ids, 'int32', ['rows']);
  graph.output('firstLogProbs', first.logProbs, 'float32', ['rows']);
  graph.output('restIds', outputs.at(-2)!, 'int32', ['more', 'rows']);
  graph.output('restLogProbs', outputs.at(-1)!, 'float32', ['more', 'rows']);
}

interface Decode extends Prefill {
  readonly choice: TokenChoice;
  readonly endIds: Value;
}

// Iteration i feeds token i of each row, i positions after the first new one, and chooses token i + 1.
function decodeBody(parent: Graph, model: TextModel, decode: Decode): Graph {
  const { lengths, nextPositions, rotary, tokens, records, choice, endIds } = decode;
  const graph = parent.body('decode');
  const iteration = graph.input('iteration', 'int64', []);
  graph.input('condition', 'bool', []);
  const ids = graph.input('ids', 'int32', ['rows']);
  const endedBefore = graph.input('ended', 'bool', ['rows']);
  const past = records.map(({ options: { layer, kvHeads, headDim } }) => {
    const dims = ['rows', kvHeads, 'cached', paddedHeadDim(headDim)];
    return {
      key: graph.input(`key.${layer}`, 'float32', dims),
      value: graph.input(`value.${layer}`, 'float32', dims),
    };
  });
  const after = (x: Value): Value => graph.node('Add', [x, graph.cast(iteration, 'int32')]); // [R]
  const positions = graph.reshape(graph.cast(after(nextPositions), 'int64'), [-1, 1]);
  const step = graph.node('Add', [iteration, graph.constant('int64', 1)]);
  const stretch: Stretch = {
    rotate: (body, x, turned) => rotary.rotate(body, x, positions, turned),
    lastPositions: after(lengths),
    length: graph.cast(graph.reshape(graph.node('Add', [tokens, step]), []), 'int32'),
  };
  const now: AttentionRecord[] = [];
  const hidden = model.hidden(graph, graph.reshape(ids, [-1, 1]), stretch, { past, records: now });
  const logits = model.logits(graph, graph.reshape(hidden, [-1, model.hiddenSize]));
  const next = nextToken(graph, logits, choice, step);
  const ended = graph.node('Or', [endedBefore, isEnd(graph, next.ids, endIds)]);
  graph.output('condition', anyLeft(graph, ended), 'bool', []);
  graph.output('ids', next.ids, 'int32', ['rows']);
  graph.output('ended', ended, 'bool', ['rows']);
  now.forEach(({ key, value, options: { kvHeads, headDim } }) => {
    const dims = ['rows', kvHeads, 'now cached', paddedHeadDim(headDim)];
    graph.output('key', key, 'float32', dims);
    graph.output('value', value, 'float32', dims);
  });
  graph.output('scanned ids', graph.node('Identity', [next.ids]), 'int32', ['rows']);
  graph.output('scanned logProbs', next.logProbs, 'float32', ['rows']);
  return graph;
}

function endBias(graph: Graph, endIds: Value, vocabSize: number): Value {
  const zeros = graph.node('Expand', [graph.constant('float32', 0), graph.constant('int64', [vocabSize])]);
  const updates = graph.node('Expand', [graph.constant('float32', -Infinity), graph.length(endIds, 0)]);
  return graph.node('ScatterElements', [zeros, endIds, updates], { axis: 0 });
}

// [R] bool: whether each id is one of endIds; false for all where endIds is empty.
function isEnd(graph: Graph, ids: Value, endIds: Value): Value {
  const equal = graph.node('Equal', [graph.reshape(graph.cast(ids, 'int64'), [-1, 1]), endIds]); // [R, E]
  const count = graph.node('ReduceSum', [graph.cast(equal, 'int32'), graph.constant('int64', [1])], { keepdims: 0 });
  return graph.node('Greater', [count, graph.constant('int32', 0)]);
}

// Whether some row has not ended.
function anyLeft(graph: Graph, ended: Value): Value {
  const left = graph.cast(graph.node('Not', [ended]), 'int32');
  const count = graph.node('ReduceMax', [left, graph.constant('int64', [0])], { keepdims: 0 });
  return graph.node('Greater', [count, graph.constant('int32', 0)]);
}
