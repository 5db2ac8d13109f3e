/** A question as read from a benchmark's annotations, whatever their schema. */
export interface AnnotatedQuestion {
  id: string;
  /** The image's path under the image folder: the names it may have, most usual first. */
  imageNames: readonly string[];
  question: string;
  /** None where the benchmark keeps them to itself. */
  answers: readonly string[];
  /** The part of the benchmark that the question belongs to, where it has parts. */
  subset?: string;
}

/** A drawn question on its way into a benchmark's annotations. */
export interface QuestionToWrite {
  /** Number of the image. */
  image: number;
  /** Name of the image's file, with its extension. */
  imageName: string;
  /** Place of the question among those of its image. */
  index: number;
  question: string;
  answer: string;
  answers: readonly string[];
}

/** A question's number: unlike any other's while an image has at most ten. */
export function questionNumber({ image, index }: QuestionToWrite): number {
  return image * 10 + index;
}

/** Each name, and each in these folders, where the benchmark's download has them. */
export function inFolders(names: readonly string[], ...folders: readonly string[]): string[] {
  return [...names, ...folders.flatMap((folder) => names.map((name) => `${folder}/${name}`))];
}

/** The names that an image may have whose annotations leave out the extension or give the usual one. */
export function namesOfImage(stem: string): string[] {
  return ['.jpg', '.png', '.jpeg'].map((extension) => stem + extension);
}
