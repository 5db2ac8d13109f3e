import type { Region } from '@mpa/alignment';
import type { RgbImage } from './image/rgb-image.js';

/** An image prepared for the vision tower. */
export interface ProcessedImage {
  /** Normalised tiles [tiles, 3, side, side]; a global view of the whole image comes last, if there is one. */
  readonly pixels: Float32Array;
  readonly tiles: number;
  /** Tiles per column and per row of the split image; both 0 when it is not split. */
  readonly rows: number;
  readonly columns: number;
  /** Index into the position table of each patch [tiles, P]. */
  readonly positionIds: Int32Array;
  /** Image tokens that it becomes in the prompt. */
  readonly tokens: number;
  /** Of the original, in pixels. */
  readonly width: number;
  readonly height: number;
}

/** What may be asked of an image processor other than its checkpoint says. */
export interface ImageOptions {
  /** Whether the image is split into tiles. */
  readonly split?: boolean;
  /** Most tiles that it is split into, the global view not counted. */
  readonly maxTiles?: number;
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
  /** Resizes, splits into tiles, normalises. `options` override the checkpoint's own, where the family has such. */
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
