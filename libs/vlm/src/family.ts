import type { Layers } from './layers.js';

/** What the vision tower reads. */
export interface VisionInputs<T> {
  /** Normalised pixels of tiles [N, 3, h, w]. */
  readonly pixels: T;
  /** Index into the position table of each patch [N, P]. */
  readonly positionIds: T;
}

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
  readonly ropeTheta: number;
  /** Longest sequence that the text decoder was made for (`max_position_embeddings`). */
  readonly maxPositions: number;
  readonly imageTokenId: number;
  /** Pixels per side of a tile and of a patch, and image tokens that one tile becomes. */
  readonly tileSize: number;
  readonly patchSize: number;
  readonly tokensPerTile: number;
  readonly visionLayers: number;
  readonly visionHeads: number;
  readonly visionHiddenSize: number;
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
  /** Image features in the width of the text: [N, tokensPerTile, hiddenSize]. */
  vision<T>(layers: Layers<T>, config: C, inputs: VisionInputs<T>): T;
  /** Final hidden states [B, T, hiddenSize], after the last norm. */
  text<T>(layers: Layers<T>, config: C, inputs: TextInputs<T>): T;
  /** Logits [., vocabSize] of hidden states. */
  head<T>(layers: Layers<T>, config: C, hidden: T): T;
  /** Modules (without `.weight`) that the usual LoRA targets name, e.g. q_proj -> every text layer's q_proj. */
  textModules(config: C, targets: readonly string[]): readonly string[];
  /** The name that `transformers` has for one of the {@link textModules} in memory, by which PEFT finds it. */
  moduleName(module: string): string;
}
