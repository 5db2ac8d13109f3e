import { CheckpointError } from './checkpoint-error.js';
import type { ProcessedImage, Processor } from './processor.js';
import type { TextProcessing } from './text-processing.js';

/** The image half of a processor. */
export interface ImageProcessing {
  process: Processor['image'];
  regions: Processor['regions'];
}

/** What an image becomes in a prompt. */
export interface Placeholders {
  /** What the chat template writes for an image. */
  readonly token: string;
  /** What is read in its place. */
  replacement(image: ProcessedImage): string;
}

/** A processor of its two halves. Its `expand` and `prompt` throw CheckpointError unless there are as many images as placeholders. */
export function newProcessor(text: TextProcessing, images: ImageProcessing, placeholders: Placeholders): Processor {
  const expand: Processor['expand'] = (chat, processed) => {
    const parts = chat.split(placeholders.token);
    if (parts.length - 1 !== processed.length) {
      throw new CheckpointError(`the conversation has ${parts.length - 1} images, but ${processed.length} are given`);
    }
    return parts.map((part, i) => (i === 0 ? part : placeholders.replacement(processed[i - 1]!) + part)).join('');
  };
  return {
    image: (image, options) => images.process(image, options),
    regions: (image) => images.regions(image),
    chat: (messages, options = {}) => text.chat(messages, options.addGenerationPrompt ?? false),
    expand,
    encode: (content) => text.encode(content),
    prompt: (messages, processed) => text.encodePrompt(expand(text.chat(messages, true), processed)),
    answer: (answer) => text.encodeAnswer(answer),
    decode: (ids, options = {}) => text.decode(ids, options.skipSpecial ?? true),
  };
}
