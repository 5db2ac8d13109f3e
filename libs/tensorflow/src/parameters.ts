import type { Weights } from '@mpa/vlm';
import type { LoraWeights } from './layers/linear.js';
import type { TensorWeights } from './layers/tensor-layers.js';
import { TensorflowError } from './tensorflow-error.js';
import { tf } from './tf.js';
import type { Tensor } from './tf.js';

/** Low-rank adaptation of the named modules. Source: arXiv 2106.09685; initialised as PEFT does (A uniform, B zero). */
export interface LoraOptions {
  /** Rank r. */
  readonly rank: number;
  /** The update is scaled by alpha / r. */
  readonly alpha: number;
  /** Modules, without `.weight`. */
  readonly modules: readonly string[];
}

/** Which parameters learn: all, those whose names match, or low-rank updates of some modules. */
export type Trainable =
  | { readonly kind: 'full' }
  | { readonly kind: 'named'; readonly pattern: RegExp }
  | ({ readonly kind: 'lora' } & LoraOptions);

/** A model's parameters as tensors. Owns them: {@link dispose} frees all. */
export class Parameters implements TensorWeights {
  private readonly tensors = new Map<string, Tensor>();
  private readonly learning = new Set<string>();
  private readonly loraScaling: number = 0;
  private readonly loraModules: ReadonlySet<string> = new Set();

  /**
   * Copies every weight to the backend. `random` (uniform in [0, 1)) draws the LoRA matrices.
   * Throws TensorflowError if nothing would learn or a LoRA module does not exist.
   */
  constructor(weights: Weights, trainable: Trainable, random: () => number) {
    for (const name of weights.names) {
      this.tensors.set(name, placed(weights.read(name), weights.shape(name)));
      if (trainable.kind === 'full' || (trainable.kind === 'named' && trainable.pattern.test(name))) {
        this.learning.add(name);
      }
    }
    if (trainable.kind === 'lora') {
      this.loraScaling = trainable.alpha / trainable.rank;
      this.loraModules = new Set(trainable.modules);
      for (const module of trainable.modules) this.addLora(module, trainable.rank, random);
    }
    if (this.learning.size === 0) throw new TensorflowError('nothing to train: no parameter matches the given names');
  }

  private addLora(module: string, rank: number, random: () => number): void {
    const weight = this.tensors.get(`${module}.weight`);
    if (!weight) throw new TensorflowError(`LoRA module ${module} is not in the checkpoint`);
    const [out = 0, input = 0] = weight.shape;
    const bound = 1 / Math.sqrt(input); // kaiming_uniform_(a = sqrt(5)) over fan-in, as PEFT initialises A
    const a = Float32Array.from({ length: rank * input }, () => (2 * random() - 1) * bound);
    this.add(`${module}.lora_A`, tf.tensor2d(a, [rank, input]));
    this.add(`${module}.lora_B`, tf.zeros([out, rank]));
  }

  /** Adds a parameter that learns and is not in the checkpoint, such as an auxiliary head. */
  add(name: string, value: Tensor): void {
    this.tensors.set(name, tf.keep(value));
    this.learning.add(name);
  }

  get(name: string): Tensor {
    const tensor = this.tensors.get(name);
    if (!tensor) throw new TensorflowError(`the model asks for ${name}, which the checkpoint does not have`);
    return tensor;
  }

  isFrozen(name: string): boolean {
    return !this.learning.has(name);
  }

  lora(module: string): LoraWeights | undefined {
    if (!this.loraModules.has(module)) return undefined;
    return { a: this.get(`${module}.lora_A`), b: this.get(`${module}.lora_B`), scaling: this.loraScaling };
  }

  /** Names of the parameters that learn, in the order of the checkpoint, LoRA matrices last. */
  get trainableNames(): readonly string[] {
    return [...this.learning];
  }

  /** Replaces a parameter's value; frees the old one. */
  assign(name: string, value: Tensor): void {
    this.get(name).dispose();
    this.tensors.set(name, tf.keep(value));
  }

  /** A parameter's values, row-major. A LoRA module's weight comes merged: `W + scaling * B A`. */
  read(name: string): Float32Array {
    const module = name.replace(/\.weight$/, '');
    const lora = this.lora(module);
    if (!lora || module === name) return this.get(name).dataSync<'float32'>();
    return tf.tidy(() => this.get(name).add(tf.matMul(lora.b, lora.a).mul(lora.scaling)).dataSync<'float32'>());
  }

  /** Frees every tensor. */
  dispose(): void {
    for (const tensor of this.tensors.values()) tensor.dispose();
    this.tensors.clear();
  }
}

/** A tensor whose values the backend has; the native one would else hold on to the array until the tensor is first used. */
function placed(values: Float32Array, shape: readonly number[]): Tensor {
  const tensor = tf.tensor(values, [...shape]);
  tf.tidy(() => tensor.flatten().slice(0, 1));
  return tensor;
}
