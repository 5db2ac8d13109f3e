import type { Region } from '@mpa/alignment';
import type { RgbImage } from './image/rgb-image.js';
import type { PlainTensor, VisionInputs } from './vision-inputs.js';

/** What a model needs of an image. */
export interface ImageInput {
  /** Its views: tiles of one size, a global view of the whole image last, if there is one; or the image whole. */
  readonly vision: VisionInputs<PlainTensor>;
  /** Image tokens that it becomes in the prompt. */
  readonly tokens: number;
  /** How the image tokens lie on the image, where they have rows and columns for positions (M-RoPE). */
  readonly grid?: { readonly rows: number; readonly columns: number } | undefined;
}

/** An image as a processor prepares it. */
export interface ProcessedImage extends ImageInput {
  /** Tiles per column and per row of the split image; both 0 when it is not split. */
  readonly rows: number;
  readonly columns: number;
  /** Of the original, in pixels. */
  readonly width: number;
  readonly height: number;
}

/** What may be asked of an image processor other than its checkpoint says; a family reads what it knows. */
export interface ImageOptions {
  /** Whether the image is split into tiles. */
  readonly split?: boolean;
  /** Most tiles that it is split into, the global view not counted. */
  readonly maxTiles?: number;
  /** Fewest and most pixels that it is scaled to. */
  readonly pixels?: { readonly least: number; readonly most: number };
}

/** Part of a message. */
export type MessagePart = { readonly type: 'image' } | { readonly type: 'text'; readonly text: string };

/** One message of a conversation. */
export interface Message {
  readonly role: 'user' | 'assistant' | 'system';
  readonly content: readonly MessagePart[];
}

/** Turns images and conversations into what a model reads, and tokens back into text. */
export interface Processor {
  /**
   * Resizes, splits into tiles or patches, normalises. `options` override the checkpoint's own, where the family has such. Throws
   * ImageError for an image of a shape that the model does not read.
   */
  image(image: RgbImage, options?: ImageOptions): ProcessedImage;
  /** What part of the original image each of its image tokens stands for [tokens], in the order of the placeholders. */
  regions(image: ProcessedImage): Region[];
  /** Renders the chat template. Throws CheckpointError if the checkpoint has none or it fails. */
  chat(messages: readonly Message[], options?: { readonly addGenerationPrompt?: boolean }): string;
  /** Replaces each image placeholder by the placeholders of its tiles. Throws CheckpointError if their numbers differ. */
  expand(text: string, images: readonly ProcessedImage[]): string;
  /** Token ids of a text, its special tokens recognised, none added. */
  encode(text: string): Int32Array;
  /** Token ids of a conversation up to where the assistant answers: chat, expand, encode. */
  prompt(messages: readonly Message[], images: readonly ProcessedImage[]): Int32Array;
  /** Token ids of an answer as it follows a prompt, end token included. */
  answer(text: string): Int32Array;
  /** Text of token ids. `skipSpecial` (default true) leaves special tokens out. */
  decode(ids: ArrayLike<number>, options?: { readonly skipSpecial?: boolean }): string;
}
