import type { EncodedImage, TrainingSample } from '@mpa/tensorflow';
import type { ImageInput } from '@mpa/vlm';

/** Where the L-VLM attends while it answers, and what is needed to see where the S-VLM does. */
export interface AttentionAim {
  /** On the cells of a raster [grid * grid]; sums to 1. */
  readonly cells: readonly number[];
  /** Share of each of the S-VLM's image tokens in each cell [image tokens, grid * grid], see `areaShares`. */
  readonly shares: Float32Array;
}

/** What a turn of a packed sample is learnt for. */
export type Aim =
  /** The L-VLM's answer itself. */
  | { readonly kind: 'answer'; readonly attention?: AttentionAim | undefined }
  /** One of the n-best answers to a question of the sample, how likely the L-VLM finds it among them, and how long it is. */
  | { readonly kind: 'ranked'; readonly question: number; readonly probability: number; readonly characters: number }
  /** The L-VLM's rationale: how much each of its tokens counts. */
  | { readonly kind: 'rationale'; readonly weights: Float32Array };

/** A sample, and what each of its turns is for: turn k is segment k + 1, or all of the sample if it is the only one. */
export interface AlignedSample<Image extends ImageInput | EncodedImage = ImageInput> extends TrainingSample<Image> {
  readonly aims: readonly Aim[];
}
