import type { RotaryOptions } from '@mpa/vlm';
import { tf } from '../tf.js';
import type { Tensor } from '../tf.js';

/** Cosines and sines of every token's angles, each [B, T, 1, 2 * pairs]; the halves of the last axis are equal. */
export interface RotaryTable {
  readonly cos: Tensor;
  readonly sin: Tensor;
}

/**
 * The rotation of tokens at `positions` [B, T, axes] (no last axis where a token has one position), angles computed in float32 as
 * transformers does. Source: transformers modeling_llama.py, LlamaRotaryEmbedding.
 */
export function rotaryTable(
  positions: { readonly data: ArrayLike<number>; readonly shape: readonly [number, number] },
  { frequencies, axes }: RotaryOptions,
): RotaryTable {
  const half = frequencies.length;
  const tokens = positions.shape[0] * positions.shape[1];
  const perToken = positions.data.length / tokens;
  const cos = new Float32Array(tokens * 2 * half);
  const sin = new Float32Array(cos.length);
  for (let token = 0; token < tokens; token++) {
    for (let i = 0; i < half; i++) {
      const position = positions.data[token * perToken + (axes?.[i] ?? 0)]!;
      const angle = Math.fround(position * frequencies[i]!);
      const at = token * 2 * half + i;
      cos[at] = cos[at + half] = Math.cos(angle);
      sin[at] = sin[at + half] = Math.sin(angle);
    }
  }
  const shape: [number, number, number, number] = [...positions.shape, 1, 2 * half];
  return { cos: tf.tensor4d(cos, shape), sin: tf.tensor4d(sin, shape) };
}

/** Rotates the first channels of x [B, T, heads, d], as many as the table has; the rest stay as they are. */
export function rotate(x: Tensor, table: RotaryTable): Tensor {
  const width = table.cos.shape[3]!;
  const rest = x.shape[3]! - width;
  if (rest === 0) return rotateWhole(x, table);
  const [turned, passed] = tf.split(x, [width, rest], 3) as [Tensor, Tensor];
  return tf.concat([rotateWhole(turned, table), passed], 3);
}

/** `x cos + (-x2, x1) sin`. The gradient is the rotation by the opposite angle. */
function rotateWhole(x: Tensor, table: RotaryTable): Tensor {
  return tf.customGrad((input) => ({
    value: turn(input as Tensor, table.cos, table.sin, 1),
    gradFunc: (dy: Tensor) => turn(dy, table.cos, table.sin, -1),
  }))(x);
}

function turn(x: Tensor, cos: Tensor, sin: Tensor, direction: 1 | -1): Tensor {
  const half = x.shape[3]! / 2;
  const [first, second] = tf.split(x, [half, half], 3) as [Tensor, Tensor];
  const quarter = direction === 1 ? tf.concat([second.neg(), first], 3) : tf.concat([second, first.neg()], 3);
  return x.mul(cos).add(quarter.mul(sin));
}
