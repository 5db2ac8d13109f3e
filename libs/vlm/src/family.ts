import type { Layers } from './layers.js';
import type { RotaryOptions } from './rotary.js';
import type { InputDeclaration, VisionInputs } from './vision-inputs.js';

/** What the text decoder reads. */
export interface TextInputs<T> {
  /** Token ids [B, T], image placeholders expanded. */
  readonly ids: T;
  /** Output of {@link Family.vision} for the images of the batch in order, absent for text alone or after the prefill. */
  readonly imageFeatures?: T;
}

/** Sizes that backends and processors need, the same for every family. */
export interface ModelShape {
  readonly vocabSize: number;
  readonly hiddenSize: number;
  readonly textLayers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  /** How the text decoder turns queries and keys. */
  readonly textRotary: RotaryOptions;
  /** Longest sequence that the text decoder was made for (`max_position_embeddings`). */
  readonly maxPositions: number;
  readonly imageTokenId: number;
  /** How the vision tower does, by {@link VisionInputs.positionIds}, where it does. */
  readonly visionRotary?: RotaryOptions | undefined;
}

/** A model family, written once over {@link Layers}. `C` is its validated config. */
export interface Family<C> {
  /** `model_type` values of config.json that this family reads. */
  readonly modelTypes: readonly string[];
  /** Validates config.json. Throws CheckpointError naming the field. */
  readConfig(json: unknown): C;
  /** Sizes of the model. */
  shape(config: C): ModelShape;
  /** Every weight of the checkpoint and its shape, by name. Tied heads are absent. */
  weights(config: C): ReadonlyMap<string, readonly number[]>;
  /** The name by which {@link weights} knows a tensor, from any name under which `transformers` reads or writes it. Modules likewise. */
  weightName(name: string): string;
  /** Tensors that a checkpoint may hold although nothing reads them, such as a copy of a tied head. */
  redundantWeights(config: C): readonly string[];
  /** The inputs of {@link Family.vision}, as the family's processor fills them. */
  visionInputs(config: C): VisionInputs<InputDeclaration>;
  /** Image features in the width of the text: [N, image tokens of a view, hiddenSize]. */
  vision<T>(layers: Layers<T>, config: C, inputs: VisionInputs<T>): T;
  /** Final hidden states [B, T, hiddenSize], after the last norm. */
  text<T>(layers: Layers<T>, config: C, inputs: TextInputs<T>): T;
  /** Logits [., vocabSize] of hidden states. */
  head<T>(layers: Layers<T>, config: C, hidden: T): T;
  /**
   * The matrices (without `.weight`) of every text layer, or of them those that LoRA targets name, e.g. q_proj -> every text layer's
   * q_proj. Throws CheckpointError for a target that the text layers do not have.
   */
  textModules(config: C, targets?: readonly string[]): readonly string[];
  /** The name that `transformers` has for one of the {@link textModules} in memory, by which PEFT finds it. */
  moduleName(module: string): string;
}
