import type { Checkpoint } from '@mpa/vlm';
import type { Graph } from './graph.js';
import type { ValueInfo } from './model-proto.js';
import { saveGraph } from './save-graph.js';
import { textGraph } from './text-graph.js';
import { visionGraph } from './vision-graph.js';

/** What goes into a graph or comes out of it. A dimension that varies has a name. */
export interface GraphValue extends ValueInfo {
  readonly meaning: string;
}

/** A graph as it was written. */
export interface SavedGraph {
  /** `NAME.onnx`; its weights are beside it in `NAME.data`. */
  readonly file: string;
  readonly inputs: readonly GraphValue[];
  readonly outputs: readonly GraphValue[];
}

const MEANINGS: Readonly<Record<string, string>> = {
  pixels: 'normalised pixels of the tiles, or of the patches of an image, as the processor gives them',
  positionIds: 'where each patch is: its row of the position table, or its row and column on the image',
  windows: 'the patches of each window, -1 where a window at the edge has fewer',
  ids: 'prompts, image placeholders expanded, padded on the right with any token but the placeholder',
  lengths: 'tokens of each prompt without its padding',
  features: "image tokens in the width of the text: what `vision.onnx` gives, an image's tiles one after the other",
  positions:
    "time, row and column of each token: text counts on by one, an image's tokens share a time, and what follows stands one beyond its longer side",
  nextPositions: "position of each prompt's first new token, likewise",
  steps: 'most new tokens; 0 generates none',
  rows: 'for each answer the index of its prompt',
  endIds: 'tokens that end an answer (`eos_token_id` of generation_config.json)',
  temperature: '0 takes the likeliest token; above, tokens are drawn from softmax(logits / temperature)',
  topP: 'draws from the likeliest tokens that reach this probability together; 1 for all',
  uniforms: 'random numbers in [0, 1) to draw with; not looked at when the temperature is 0',
  minimum: 'end tokens are forbidden in so many first tokens',
  targetRows: 'positions in the prompts, one after the other with their padding, whose next token is scored',
  targets: 'the token to score at each of them',
  attentionRows: 'positions, counted likewise, whose attention is given',
  logits: 'at the target rows',
  targetLogProbs: 'natural logarithm of the probability of each target',
  attention: "probabilities over the tokens of the row's own prompt, mean over heads, of the last layer",
  firstIds: "each answer's first token",
  firstLogProbs: 'its log-probability',
  restIds: 'the further tokens, until every answer has ended; what follows an end token says nothing',
  restLogProbs: 'their log-probabilities',
};

/**
 * Writes a checkpoint into a folder as the two graphs that this package runs, in float32: `vision.onnx` and `text.onnx` with their
 * weights beside them. Any ONNX Runtime reads them that has the `com.microsoft` operators. Throws CheckpointError for a weight that cannot
 * be read.
 */
export async function saveModel(
  { family, config, weights }: Pick<Checkpoint, 'config' | 'family' | 'weights'>,
  folder: string,
): Promise<SavedGraph[]> {
  const save = async (name: string, graph: Graph): Promise<SavedGraph> => {
    await saveGraph(graph, folder, name);
    const { inputs, outputs } = graph.build();
    return { file: `${name}.onnx`, inputs: inputs.map(explained), outputs: outputs.map(explained) };
  };
  const float32 = { layers: 'float32', head: 'float32' } as const;
  return [
    await save('vision', visionGraph(family, config, weights, 'float32')),
    await save('text', textGraph(family, config, weights, { ...float32, kernels: 'cpu', attentionLayers: 1 })),
  ];
}

function explained(value: ValueInfo): GraphValue {
  return { ...value, meaning: MEANINGS[value.name] ?? '' };
}
