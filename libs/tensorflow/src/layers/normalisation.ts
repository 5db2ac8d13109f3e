import { tf } from '../tf.js';
import type { Tensor } from '../tf.js';

type Save = (tensors: Tensor[]) => void;

/** Layer normalisation over the last axis: `(x - mean) / sqrt(var + epsilon) * weight + bias`. */
export function layerNorm(x: Tensor, weight: Tensor, bias: Tensor, epsilon: number): Tensor {
  return normalise(x, epsilon, true).mul(weight).add(bias);
}

/** Root-mean-square normalisation over the last axis: `x / sqrt(mean(x^2) + epsilon) * weight`. */
export function rmsNorm(x: Tensor, weight: Tensor, epsilon: number): Tensor {
  return normalise(x, epsilon, false).mul(weight);
}

/** The parameter-free part, with its gradient written out: fewer passes over memory than the tape would take. */
function normalise(x: Tensor, epsilon: number, centred: boolean): Tensor {
  return tf.customGrad((input, save) => {
    const centredInput = centred ? (input as Tensor).sub((input as Tensor).mean(-1, true)) : (input as Tensor);
    const inverse = centredInput.square().mean(-1, true).add(epsilon).rsqrt(); // [., 1]
    const value = centredInput.mul(inverse);
    (save as Save)([value, inverse]);
    return {
      value,
      gradFunc: (dy: Tensor, saved: Tensor[]) => {
        const [y, scale] = saved as [Tensor, Tensor];
        const projected = y.mul(dy.mul(y).mean(-1, true));
        const rest = centred ? dy.sub(dy.mean(-1, true)) : dy;
        return rest.sub(projected).mul(scale);
      },
    };
  })(x);
}
