import type { Activation } from '@mpa/vlm';
import { tf } from '../tf.js';
import type { Tensor } from '../tf.js';

type Save = (tensors: Tensor[]) => void;

/** Elementwise non-linearities by their Hugging Face names. Source: transformers activations.py. */
export const activations: Readonly<Record<Activation, (x: Tensor) => Tensor>> = {
  gelu: (x) => x.mul(x.mul(Math.SQRT1_2).erf().add(1)).mul(0.5),
  gelu_pytorch_tanh: geluTanh,
  quick_gelu: (x) => x.mul(x.mul(1.702).sigmoid()),
  silu: (x) => gated(x, 1, 0),
  relu,
};

/** `max(x, 0)`, its gradient by one comparison. */
function relu(x: Tensor): Tensor {
  return tf.customGrad((input, save) => {
    const value = (input as Tensor).relu();
    (save as Save)([value]);
    return { value, gradFunc: (dy: Tensor, saved: Tensor[]) => dy.mul(saved[0]!.greater(0).cast('float32')) };
  })(x);
}

/** `x * sigmoid(2 sqrt(2/pi) (x + 0.044715 x^3))`, which is the tanh form of GELU. */
function geluTanh(x: Tensor): Tensor {
  const linear = 2 * Math.sqrt(2 / Math.PI);
  return gated(x, linear, linear * 0.044715);
}

/** `x * sigmoid(a x + b x^3)` with its gradient written out. */
function gated(x: Tensor, a: number, b: number): Tensor {
  return tf.customGrad((input, save) => {
    const t = input as Tensor;
    const inner = b === 0 ? t : t.mul(t.square().mul(b).add(a));
    const gate = inner.sigmoid();
    (save as Save)([t, gate]);
    return {
      value: t.mul(gate),
      gradFunc: (dy: Tensor, saved: Tensor[]) => {
        const [u, s] = saved as [Tensor, Tensor];
        const slope =
          b === 0
            ? u
            : u.mul(
                u
                  .square()
                  .mul(3 * b)
                  .add(a),
              ); // x * d inner / dx
        return dy.mul(s.add(s.mul(tf.sub(1, s)).mul(slope)));
      },
    };
  })(x);
}
