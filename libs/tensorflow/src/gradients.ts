import type { Parameters } from './parameters.js';
import { takeTape, pullBack } from './tape.js';
import { tf } from './tf.js';
import type { Tensor } from './tf.js';

/**
 * Value of a scalar loss and its gradient in every parameter that learns and that the loss depends on.
 * The caller frees both (`tf.dispose`). What `loss` makes is freed.
 */
export function lossAndGradients(
  parameters: Parameters,
  loss: () => Tensor,
): { readonly value: Tensor; readonly gradients: Map<string, Tensor> } {
  const names = parameters.trainableNames;
  const { value, tape } = takeTape(loss);
  const pulled = pullBack(
    tape,
    value,
    names.map((name) => parameters.get(name)),
  );
  const gradients = new Map<string, Tensor>();
  names.forEach((name, i) => {
    const gradient = pulled[i];
    if (gradient) gradients.set(name, gradient);
  });
  return { value, gradients };
}

/** L2 norm over all gradients. */
export function globalNorm(gradients: ReadonlyMap<string, Tensor>): number {
  return tf.tidy(() => Math.sqrt(tf.addN([...gradients.values()].map((g) => g.square().sum())).dataSync()[0]!));
}

/** Scales every gradient in place by `factor`, freeing the old values. */
export function scaleGradients(gradients: Map<string, Tensor>, factor: number): void {
  for (const [name, gradient] of gradients) {
    gradients.set(name, gradient.mul(factor));
    gradient.dispose();
  }
}
