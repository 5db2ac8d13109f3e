import { TensorflowError } from './tensorflow-error.js';
import { tf } from './tf.js';

/** Throws TensorflowError when the active backend does not compute: it multiplies two small matrices and reads the product. */
export function checkDevice(): void {
  let product: ArrayLike<number>;
  try {
    product = tf.tidy(() => tf.matMul(tf.tensor2d([[1, 2]]), tf.tensor2d([[3], [4]])).dataSync());
  } catch (cause) {
    throw new TensorflowError(
      `TensorFlow fails at a small product (${(cause as Error).message}); a new process goes on from here`,
      { cause },
    );
  }
  if (product[0] !== 11) {
    throw new TensorflowError(`TensorFlow says that 1 * 3 + 2 * 4 is ${product[0]}: do not train on this device`);
  }
}
