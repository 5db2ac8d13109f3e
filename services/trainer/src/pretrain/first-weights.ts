import { smolVlm } from '@mpa/vlm';
import type { Weights } from '@mpa/vlm';

/** Sines and cosines of the position table start with this amplitude. */
const WAVE = 0.5;
/** How sharply a head that starts out looking at a neighbour does so. */
const SHARPNESS = 2.5;
/** Neighbours (rows down, columns right) that the first heads of each vision layer start out looking at. */
const NEIGHBOURS = [
  [0, -1],
  [0, 1],
  [-1, 0],
  [1, 0],
] as const;

/**
 * First weights for a config.json: normal, of variance 1 / fan-in for products (divided by the number of layers where a
 * layer adds to the residual stream), 0.02 for embeddings, norms at one, biases at zero. The vision tower starts with a sense
 * of place, since it has few images to find one: its position table is waves over rows and columns, and the first heads of
 * each layer look at a neighbouring patch, as a convolution would (the idea of ConViT, arXiv 2103.10697).
 * `normal` draws N(0, 1).
 */
export function firstWeights(config: object, normal: () => number): Weights {
  const parsed = smolVlm.readConfig(config);
  const shapes = smolVlm.weights(parsed);
  const { text, vision } = parsed;
  const deviation = (name: string, shape: readonly number[]): number => {
    if (name.includes('embed_tokens')) return 0.02;
    const fanIn = shape.slice(1).reduce((product, n) => product * n, 1);
    const residual = /(o_proj|out_proj|down_proj|fc2)\.weight$/.test(name);
    const layers = name.includes('vision_model') ? vision.layers : text.layers;
    return Math.sqrt(1 / fanIn / (residual ? 2 * layers : 1));
  };
  return {
    names: [...shapes.keys()],
    shape: (name) => shapes.get(name)!,
    dtype: () => 'F32',
    read: (name) => {
      const shape = shapes.get(name)!;
      const length = shape.reduce((product, n) => product * n, 1);
      if (name.endsWith('.bias')) return new Float32Array(length);
      if (shape.length === 1) return new Float32Array(length).fill(1);
      if (name.includes('position_embedding')) return positionWaves(shape[0]!, shape[1]!);
      const scale = deviation(name, shape);
      const values = Float32Array.from({ length }, () => normal() * scale);
      const looking = /vision_model.*\.([qk])_proj\.weight$/.exec(name);
      if (looking) lookAtNeighbours(values, shape[0]!, vision.heads, looking[1] as 'q' | 'k', sideOf(shapes));
      return values;
    },
  };
}

function sideOf(shapes: ReadonlyMap<string, readonly number[]>): number {
  return Math.sqrt(shapes.get('model.vision_model.embeddings.position_embedding.weight')![0]!);
}

/** Angle per patch of wave `i`: from a quarter turn down, geometrically. */
function frequency(i: number, waves: number, side: number): number {
  return Math.PI / 2 / (2 * side) ** (i / waves);
}

/** Column of the sine of wave `i` over rows (axis 0) or columns (axis 1); its cosine is the next. */
function waveColumn(axis: number, i: number, waves: number): number {
  return axis * 2 * waves + 2 * i;
}

/** The position table [side * side, width]. */
function positionWaves(patches: number, width: number): Float32Array {
  const side = Math.sqrt(patches);
  const waves = Math.floor(width / 4);
  const table = new Float32Array(patches * width);
  for (let patch = 0; patch < patches; patch++) {
    [Math.floor(patch / side), patch % side].forEach((coordinate, axis) => {
      for (let i = 0; i < waves; i++) {
        const angle = coordinate * frequency(i, waves, side);
        const at = patch * width + waveColumn(axis, i, waves);
        table[at] = WAVE * Math.sin(angle);
        table[at + 1] = WAVE * Math.cos(angle);
      }
    });
  }
  return table;
}

/**
 * Lets the keys of the first heads be waves of the patch's own place, and their queries those of the neighbour's: the
 * product is largest where the two agree.
 */
function lookAtNeighbours(values: Float32Array, width: number, heads: number, role: 'q' | 'k', side: number): void {
  const headDim = width / heads;
  const waves = Math.floor(width / 4);
  const pairs = Math.floor(headDim / 4); // for each of the two axes
  NEIGHBOURS.slice(0, heads - 1).forEach((offset, head) => {
    for (let axis = 0; axis < 2; axis++) {
      for (let pair = 0; pair < pairs; pair++) {
        const i = Math.floor((pair * waves) / (2 * pairs)); // the faster half of the waves
        const turn = role === 'q' ? offset[axis]! * frequency(i, waves, side) : 0;
        const row = head * headDim + (axis * pairs + pair) * 2;
        const [sine, cosine] = [waveColumn(axis, i, waves), waveColumn(axis, i, waves) + 1];
        values[row * width + sine]! += SHARPNESS * Math.cos(turn);
        values[row * width + cosine]! += SHARPNESS * Math.sin(turn);
        values[(row + 1) * width + sine]! -= SHARPNESS * Math.sin(turn);
        values[(row + 1) * width + cosine]! += SHARPNESS * Math.cos(turn);
      }
    }
  });
}
