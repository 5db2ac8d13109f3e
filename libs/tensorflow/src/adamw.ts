import type { Parameters } from './parameters.js';
import { tf } from './tf.js';
import type { Tensor } from './tf.js';

/** Settings of {@link AdamW}. */
export interface AdamWOptions {
  readonly betas?: readonly [number, number];
  readonly epsilon?: number;
  /** Decoupled: `p -= lr * weightDecay * p`. */
  readonly weightDecay?: number;
}

/**
 * AdamW with decoupled weight decay (arXiv 1711.05101), as torch.optim.AdamW computes it. A parameter without a gradient
 * does not change at all.
 */
export class AdamW {
  private readonly moments = new Map<string, { m: Tensor; v: Tensor }>();
  private readonly betas: readonly [number, number];
  private readonly epsilon: number;
  private readonly weightDecay: number;
  private count = 0;

  constructor(
    private readonly parameters: Parameters,
    options: AdamWOptions = {},
  ) {
    this.betas = options.betas ?? [0.9, 0.999];
    this.epsilon = options.epsilon ?? 1e-8;
    this.weightDecay = options.weightDecay ?? 0;
  }

  /** Steps taken so far. */
  get steps(): number {
    return this.count;
  }

  /** One update of every parameter that has a gradient, at learning rate `rate`. Frees nothing of `gradients`. */
  step(gradients: ReadonlyMap<string, Tensor>, rate: number): void {
    this.count++;
    for (const [name, gradient] of gradients) this.update(name, gradient, rate);
  }

  private update(name: string, gradient: Tensor, rate: number): void {
    const [b1, b2] = this.betas;
    const old = this.moments.get(name);
    const { m, v, parameter } = tf.tidy((): { m: Tensor; v: Tensor; parameter: Tensor } => {
      const newM = old ? old.m.mul(b1).add(gradient.mul(1 - b1)) : gradient.mul(1 - b1);
      const squared = gradient.square().mul(1 - b2);
      const newV = old ? old.v.mul(b2).add(squared) : squared;
      const root = newV
        .sqrt()
        .mul(1 / Math.sqrt(1 - b2 ** this.count))
        .add(this.epsilon);
      const change = newM.div(root).mul(rate / (1 - b1 ** this.count));
      const decayed = this.parameters.get(name).mul(1 - rate * this.weightDecay);
      return { m: newM, v: newV, parameter: decayed.sub(change) };
    });
    this.parameters.assign(name, parameter);
    this.setMoments(name, m, v);
  }

  private setMoments(name: string, m: Tensor, v: Tensor): void {
    const old = this.moments.get(name);
    if (old) tf.dispose([old.m, old.v]);
    this.moments.set(name, { m: tf.keep(m), v: tf.keep(v) });
  }

  /** The moments by parameter name, and the number of steps: all that {@link restore} needs. */
  state(): { readonly steps: number; readonly moments: Iterable<readonly [string, Float32Array, Float32Array]> } {
    const moments = [...this.moments].map(
      ([name, { m, v }]) => [name, m.dataSync<'float32'>(), v.dataSync<'float32'>()] as const,
    );
    return { steps: this.count, moments };
  }

  /** Goes on from a saved {@link state}. */
  restore(state: ReturnType<AdamW['state']>): void {
    this.count = state.steps;
    for (const [name, m, v] of state.moments) {
      const { shape } = this.parameters.get(name);
      this.setMoments(name, tf.tensor(m, shape), tf.tensor(v, shape));
    }
  }

  /** Frees the moments. */
  dispose(): void {
    for (const { m, v } of this.moments.values()) tf.dispose([m, v]);
    this.moments.clear();
  }
}
