/** What any model can be asked: whether it can do anything at all is told by its answering this. The image is white. */
export const smallQuestion = {
  /** Pixels of a side of the image, above what models take at least. */
  side: 64,
  text: 'What is on this image?',
} as const;
