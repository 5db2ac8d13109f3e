import type { Optimizer, OptimizerState } from './optimizer.js';
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
 * does not change at all. What is kept are the decaying sums of gradients and of their squares: the moments are these times
 * `1 - beta`, a factor that is applied with the others, since memory is what an update waits for.
 */
export class AdamW implements Optimizer {
  private readonly sums = new Map<string, { first: Tensor; second: Tensor }>();
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

  get steps(): number {
    return this.count;
  }

  step(gradients: ReadonlyMap<string, Tensor>, rate: number): void {
    this.count++;
    for (const [name, gradient] of gradients) this.update(name, gradient, rate);
  }

  private update(name: string, gradient: Tensor, rate: number): void {
    const [b1, b2] = this.betas;
    const old = this.sums.get(name);
    const scale = Math.sqrt((1 - b2) / (1 - b2 ** this.count)); // of the root of the sum of squares
    const stride = (rate * (1 - b1)) / (1 - b1 ** this.count) / scale;
    const { first, second, parameter } = tf.tidy(() => {
      const squares = gradient.square();
      const first = old ? old.first.mul(b1).add(gradient) : gradient.clone();
      const second = old ? old.second.mul(b2).add(squares) : squares;
      const change = first.div(second.sqrt().add(this.epsilon / scale)).mul(stride);
      const value = this.parameters.get(name);
      const decayed = this.weightDecay === 0 ? value : value.mul(1 - rate * this.weightDecay);
      return { first, second, parameter: decayed.sub(change) };
    });
    this.parameters.assign(name, parameter);
    this.setSums(name, first, second);
  }

  private setSums(name: string, first: Tensor, second: Tensor): void {
    const old = this.sums.get(name);
    if (old) tf.dispose([old.first, old.second]);
    this.sums.set(name, { first: tf.keep(first), second: tf.keep(second) });
  }

  state(): OptimizerState {
    const sums = [...this.sums].map(
      ([name, { first, second }]) => [name, [first.dataSync<'float32'>(), second.dataSync<'float32'>()]] as const,
    );
    return { steps: this.count, sums };
  }

  restore(state: OptimizerState): void {
    this.count = state.steps;
    for (const [name, [first, second]] of state.sums) {
      const { shape } = this.parameters.get(name);
      this.setSums(name, tf.tensor(first!, shape), tf.tensor(second!, shape));
    }
  }

  dispose(): void {
    for (const { first, second } of this.sums.values()) tf.dispose([first, second]);
    this.sums.clear();
  }
}
