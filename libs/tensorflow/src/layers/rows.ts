import { tf } from '../tf.js';
import type { Tensor } from '../tf.js';

/**
 * Rows of `table` [V, D] at `ids` [n] -> [n, D]. The gradient adds up rows with equal ids; the wasm backend has no
 * kernel for that, so there it is a product with the one-hot ids.
 */
export function lookUp(table: Tensor, ids: Tensor): Tensor {
  if (tf.getBackend() !== 'wasm') return tf.gather(table, ids);
  const [rows = 0] = table.shape;
  return tf.customGrad((t) => ({
    value: tf.gather(t as Tensor, ids as ReturnType<typeof tf.tensor1d>),
    gradFunc: (dy: Tensor) => tf.matMul(tf.oneHot(ids, rows).cast('float32').transpose(), dy),
  }))(table);
}

/**
 * Puts the rows of `features` [F, D] into `x` [n, D]: row i of the result is row `source[i]` of x above features.
 * `taken` [F] says at which row of the result each feature landed. A permutation, so its gradient is another gather.
 */
export function placeRows(x: Tensor, features: Tensor, source: Tensor, taken: Tensor, kept: Tensor): Tensor {
  return tf.customGrad((text, image) => ({
    value: tf.gather(tf.concat([text as Tensor, image as Tensor], 0), source as ReturnType<typeof tf.tensor1d>),
    gradFunc: (dy: Tensor) => [dy.mul(kept), tf.gather(dy, taken)],
  }))(x, features);
}

/**
 * Rows of `x` [n, D] at `index` [m] -> [m, D]; an index of n is a row of zeros. `inverse` [n] says where each row of x went, m where
 * nowhere; so the gradient is a gather too.
 */
export function gatherRows(x: Tensor, index: Tensor, inverse: Tensor): Tensor {
  const taken = (rows: Tensor, at: Tensor): Tensor =>
    tf.gather(tf.concat([rows, tf.zeros([1, rows.shape[1]!])], 0), at);
  return tf.customGrad((input) => ({
    value: taken(input as Tensor, index),
    gradFunc: (dy: Tensor) => taken(dy, inverse),
  }))(x);
}

/** Rows of `x` [n, D] at `positions` [m], each at most once; the gradient scatters them back by a gather. */
export function selectRows(x: Tensor, positions: Int32Array): Tensor {
  const [rows = 0, width = 0] = x.shape;
  const inverse = new Int32Array(rows).fill(positions.length);
  positions.forEach((position, i) => (inverse[position] = i));
  return tf.customGrad((input) => ({
    value: tf.gather(input as Tensor, tf.tensor1d(positions, 'int32')),
    gradFunc: (dy: Tensor) => tf.gather(tf.concat([dy, tf.zeros([1, width])], 0), tf.tensor1d(inverse, 'int32')),
  }))(x);
}
