import type { Graph, Value } from './graph.js';

/** How tokens are chosen; values of the outermost graph. */
export interface TokenChoice {
  /** float32 scalar; 0 takes the likeliest token. */
  readonly temperature: Value;
  /** float32 scalar: only the likeliest tokens that together reach this probability are drawn from. */
  readonly topP: Value;
  /** float32 [rows, steps] in [0, 1): one draw per row and step. */
  readonly uniforms: Value;
  /** int64 scalar: end tokens are forbidden in the steps before this one. */
  readonly minimum: Value;
  /** float32 [vocabulary]: -infinity at end tokens, else 0. */
  readonly endBias: Value;
}

/** A chosen token for each row: ids int32 [rows], and the model's own log-probability of it, float32 [rows]. */
export interface ChosenTokens {
  readonly ids: Value;
  readonly logProbs: Value;
}

/**
 * Chooses the next token of every row from `logits` [rows, vocabulary] at `step` (int64 scalar). Log-probabilities
 * are the model's at temperature 1, before suppression and top-p, so that scoring the same tokens gives the same.
 */
export function nextToken(graph: Graph, logits: Value, choice: TokenChoice, step: Value): ChosenTokens {
  const early = graph.node('Less', [step, choice.minimum]);
  const bias = graph.node('Where', [early, choice.endBias, graph.constant('float32', 0)]);
  const allowed = graph.node('Add', [logits, bias]);
  const ids = graph.node('If', [graph.node('Greater', [choice.temperature, graph.constant('float32', 0)])], {
    then_branch: draw(graph, allowed, choice, step).build(),
    else_branch: likeliest(graph, allowed).build(),
  });
  const column = graph.node('Unsqueeze', [ids, graph.constant('int64', [1])]);
  const logProbs = graph.node('GatherElements', [graph.node('LogSoftmax', [logits], { axis: -1 }), column], {
    axis: 1,
  });
  return { ids: graph.cast(ids, 'int32'), logProbs: graph.reshape(logProbs, [-1]) };
}

function likeliest(parent: Graph, logits: Value): Graph {
  const graph = parent.body('greedy');
  graph.output('ids', graph.node('ArgMax', [logits], { axis: -1, keepdims: 0 }), 'int64', ['rows']);
  return graph;
}

// Inversion: the first candidate at which the cumulative mass of what is kept exceeds the draw. A candidate is kept while the
// mass before it is below topP.
function draw(parent: Graph, logits: Value, choice: TokenChoice, step: Value): Graph {
  const graph = parent.body('sample');
  const axis = graph.constant('int64', 1);
  const all = graph.node('Softmax', [graph.node('Div', [logits, choice.temperature])], { axis: -1 });
  const [probabilities, order] = graph.nodes('If', [graph.node('Less', [choice.topP, graph.constant('float32', 1)])], {
    attributes: {
      then_branch: sorted(graph, all, choice.topP).build(),
      else_branch: unsorted(graph, all).build(),
    },
    outputs: 2,
  });
  const before = graph.node('CumSum', [probabilities!, axis], { exclusive: 1 });
  const kept = graph.node('Where', [
    graph.node('Less', [before, choice.topP]),
    probabilities!,
    graph.constant('float32', 0),
  ]);
  const mass = graph.node('CumSum', [kept, axis]);
  const total = graph.node('Gather', [mass, graph.constant('int64', [-1])], { axis: 1 });
  const uniform = graph.node('Gather', [choice.uniforms, graph.reshape(step, [1])], { axis: 1 });
  // Mass only grows, so the candidates below the draw are those before it. Rounding may put the draw on the total itself.
  const below = graph.node('LessOrEqual', [mass, graph.node('Mul', [uniform, total])]);
  const count = graph.node('ReduceSum', [graph.cast(below, 'int32'), graph.constant('int64', [1])], { keepdims: 1 });
  const last = graph.node('Sub', [graph.length(mass, 1), graph.constant('int64', 1)]);
  const rank = graph.node('Min', [graph.cast(count, 'int64'), last]);
  const ids = graph.node('GatherElements', [order!, rank], { axis: 1 });
  graph.output('ids', graph.reshape(ids, [-1]), 'int64', ['rows']);
  return graph;
}

// Sorting a whole vocabulary takes longer than a decode step, and topP is mostly reached by a few tokens.
const FEW = 256;

// Candidates from the likeliest down: few if they reach topP in every row, else all.
function sorted(parent: Graph, probabilities: Value, topP: Value): Graph {
  const graph = parent.body('nucleus');
  const count = graph.node('Min', [graph.length(probabilities, 1), graph.constant('int64', [FEW])]);
  const [top, order] = graph.nodes('TopK', [probabilities, count], { outputs: 2 });
  const masses = graph.node('ReduceSum', [top!, graph.constant('int64', [1])], { keepdims: 0 });
  const least = graph.node('ReduceMin', [masses, graph.constant('int64', [0])], { keepdims: 0 });
  const few = graph.body('few');
  candidates(few, few.node('Identity', [top!]), few.node('Identity', [order!]));
  const many = graph.body('many');
  const [everything, wholeOrder] = many.nodes('TopK', [probabilities, many.length(probabilities, 1)], { outputs: 2 });
  candidates(many, everything!, wholeOrder!);
  const [chosen, chosenOrder] = graph.nodes('If', [graph.node('GreaterOrEqual', [least, topP])], {
    attributes: { then_branch: few.build(), else_branch: many.build() },
    outputs: 2,
  });
  return candidates(graph, chosen!, chosenOrder!);
}

// All tokens in the order of the vocabulary: nothing will be cut.
function unsorted(parent: Graph, probabilities: Value): Graph {
  const graph = parent.body('all');
  const int = (value: number): Value => graph.constant('int64', value);
  const ids = graph.node('Range', [int(0), graph.reshape(graph.length(probabilities, 1), []), int(1)]);
  const order = graph.node('Expand', [ids, graph.node('Shape', [probabilities])]);
  return candidates(graph, graph.node('Identity', [probabilities]), order);
}

function candidates(graph: Graph, probabilities: Value, order: Value): Graph {
  graph.output('probabilities', probabilities, 'float32', ['rows', 'candidates']);
  graph.output('order', order, 'int64', ['rows', 'candidates']);
  return graph;
}
