import { AdamW } from './adamw.js';
import type { AdamWOptions } from './adamw.js';
import type { Optimizer, OptimizerState } from './optimizer.js';
import type { Parameters } from './parameters.js';
import { tf } from './tf.js';
import type { Tensor } from './tf.js';

/** Settings of {@link Muon}; those of AdamW are for the parameters that are not matrices. */
export interface MuonOptions extends AdamWOptions {
  /** Which parameters [out, in] are matrices to be made orthogonal; heads and tables of embeddings are better left to AdamW. */
  readonly matrices: RegExp;
  readonly momentum?: number;
}

/** Coefficients a, b, c of one step `a X + b X X^T X + c (X X^T)^2 X` each: five bring singular values from 0.005 on near one. */
const ITERATION = [
  [4.0848, -6.8946, 2.927],
  [3.9505, -6.3029, 2.6377],
  [3.7418, -5.5913, 2.3037],
  [2.8769, -3.1427, 1.2046],
  [2.8366, -3.0525, 1.2012],
] as const;

/** Root mean square of AdamW's updates: with it, both can take one learning rate. */
const UPDATE = 0.2;

/**
 * Muon: the update of a matrix is its momentum (Nesterov's) with all singular values brought to about one, so that rare
 * directions learn as fast as common ones. In training small transformers from scratch it takes half of AdamW's steps. All other
 * parameters are AdamW's. Weight decay is decoupled. Sources: K. Jordan et al., "Muon" (2024); the scale of updates, arXiv 2502.16982.
 */
export class Muon implements Optimizer {
  private readonly momenta = new Map<string, Tensor>();
  private readonly others: AdamW;
  private readonly matrices: RegExp;
  private readonly momentum: number;
  private readonly weightDecay: number;

  constructor(
    private readonly parameters: Parameters,
    options: MuonOptions,
  ) {
    this.others = new AdamW(parameters, options);
    this.matrices = options.matrices;
    this.momentum = options.momentum ?? 0.95;
    this.weightDecay = options.weightDecay ?? 0;
  }

  get steps(): number {
    return this.others.steps;
  }

  step(gradients: ReadonlyMap<string, Tensor>, rate: number): void {
    const others = new Map<string, Tensor>();
    const alike = new Map<string, string[]>(); // matrices of one shape are made orthogonal in one product
    for (const [name, gradient] of gradients) {
      if (!this.matrices.test(name)) others.set(name, gradient);
      else {
        const shape = [...gradient.shape].sort((a, b) => a - b).join('x');
        alike.set(shape, [...(alike.get(shape) ?? []), name]);
      }
    }
    this.others.step(others, rate);
    for (const names of alike.values()) this.update(names, gradients, rate);
  }

  private update(names: readonly string[], gradients: ReadonlyMap<string, Tensor>, rate: number): void {
    tf.tidy(() => {
      const directions = names.map((name) => flat(this.direction(name, gradients.get(name)!)));
      const updates = tf.unstack(orthogonal(tf.stack(directions)));
      names.forEach((name, i) => {
        const value = this.parameters.get(name);
        const stride = rate * UPDATE * Math.sqrt(Math.max(...value.shape));
        const update = isTall(value) ? updates[i]!.transpose() : updates[i]!;
        this.parameters.assign(name, value.mul(1 - rate * this.weightDecay).sub(update.mul(stride)));
      });
    });
  }

  /** The momentum, updated, one step ahead. */
  private direction(name: string, gradient: Tensor): Tensor {
    const old = this.momenta.get(name);
    const fresh = gradient.mul(1 - this.momentum);
    const momentum = old ? old.mul(this.momentum).add(fresh) : fresh;
    this.remember(name, momentum);
    return momentum.mul(this.momentum).add(fresh);
  }

  private remember(name: string, momentum: Tensor): void {
    this.momenta.get(name)?.dispose();
    this.momenta.set(name, tf.keep(momentum));
  }

  state(): OptimizerState {
    const momenta = [...this.momenta].map(([name, momentum]) => [name, [momentum.dataSync<'float32'>()]] as const);
    const { steps, sums } = this.others.state();
    return { steps, sums: [...sums, ...momenta] };
  }

  restore({ steps, sums }: OptimizerState): void {
    const all = [...sums];
    this.others.restore({ steps, sums: all.filter(([name]) => !this.matrices.test(name)) });
    for (const [name, [momentum]] of all) {
      if (this.matrices.test(name)) this.remember(name, tf.tensor(momentum!, this.parameters.get(name).shape));
    }
  }

  dispose(): void {
    this.others.dispose();
    tf.dispose([...this.momenta.values()]);
    this.momenta.clear();
  }
}

const isTall = ({ shape: [rows = 0, columns = 0] }: Tensor): boolean => rows > columns;

const flat = (x: Tensor): Tensor => (isTall(x) ? x.transpose() : x);

/** Matrices [N, m, n], m <= n, with all singular values between 0.7 and 1.3, the singular vectors as they are. */
export function orthogonal(matrices: Tensor): Tensor {
  let x = matrices.div(matrices.square().sum([1, 2], true).sqrt().mul(1.01).add(1e-7));
  for (const [a, b, c] of ITERATION) {
    const square = tf.matMul(x, x, false, true);
    const polynomial = square.mul(b).add(tf.matMul(square, square).mul(c));
    x = x.mul(a).add(tf.matMul(polynomial, x));
  }
  return x;
}
