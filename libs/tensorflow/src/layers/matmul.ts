import { tf } from '../tf.js';
import type { Tensor } from '../tf.js';

/**
 * `a b^T` of a [n, k] and b [m, k], differentiable in both (in `a` alone when `frozen`: b's gradient is not computed).
 * The wasm backend's kernel for transposed operands is some 50 times slower than transposing first, so there
 * every product of the forward and backward pass gets its operands transposed beforehand.
 */
export function multiplyTransposed(a: Tensor, b: Tensor, options: { readonly frozen?: boolean } = {}): Tensor {
  if (tf.getBackend() !== 'wasm') return tf.matMul(a, b, false, true);
  if (options.frozen) {
    return tf.customGrad((x) => ({
      value: tf.matMul(x as Tensor, b.transpose()),
      gradFunc: (dy: Tensor) => tf.matMul(dy, b),
    }))(a);
  }
  return tf.customGrad((x, y, save) => {
    const [left, right] = [x as Tensor, y as Tensor];
    (save as (tensors: Tensor[]) => void)([left, right]);
    return {
      value: tf.matMul(left, right.transpose()),
      gradFunc: (dy: Tensor, saved: Tensor[]) => [tf.matMul(dy, saved[1]!), tf.matMul(dy.transpose(), saved[0]!)],
    };
  })(a, b);
}
