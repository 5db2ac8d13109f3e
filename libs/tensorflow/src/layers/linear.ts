import type { Tensor } from '../tf.js';
import { multiplyTransposed } from './matmul.js';

/** Low-rank update of a linear layer, `scaling * B(Ax)`. Source: LoRA, arXiv 2106.09685. */
export interface LoraWeights {
  /** [r, in] */
  readonly a: Tensor;
  /** [out, r] */
  readonly b: Tensor;
  readonly scaling: number;
}

/** What {@link linear} multiplies by. A frozen weight gets no gradient, and none is computed. */
export interface LinearWeights {
  /** [out, in] */
  readonly weight: Tensor;
  /** [out] */
  readonly bias?: Tensor | undefined;
  readonly frozen: boolean;
  readonly lora?: LoraWeights | undefined;
}

/** `x W^T + b (+ scaling * x A^T B^T)` over the last axis: [., in] -> [., out]. */
export function linear(x: Tensor, { weight, bias, frozen, lora }: LinearWeights): Tensor {
  const [out = 0, input = 0] = weight.shape;
  const rows = x.reshape([-1, input]);
  let y = multiplyTransposed(rows, weight, { frozen });
  if (bias) y = y.add(bias);
  if (lora) y = y.add(multiplyTransposed(multiplyTransposed(rows, lora.a), lora.b).mul(lora.scaling));
  return y.reshape([...x.shape.slice(0, -1), out]);
}
