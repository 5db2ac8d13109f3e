/** Values of a tensor, row-major. */
export interface PlainTensor {
  readonly data: Float32Array | Int32Array;
  readonly shape: readonly number[];
}

/** What the vision tower reads: N views of one size, such as the tiles of an image, or images read whole. */
export interface VisionInputs<T> {
  /** Normalised pixels: of tiles [N, 3, h, w], or of patches [N, P, 3*t*p*p]. */
  readonly pixels: T;
  /** Where each patch is: its index into a position table [N, P], or its row and column [N, P, 2]. */
  readonly positionIds: T;
  /** The patches of each window of a tower with windows [N, W, S], -1 where a window has fewer than S. */
  readonly windows?: T | undefined;
}

/** How an input of the vision tower is declared: a name stands for a size that differs from image to image. */
export interface InputDeclaration {
  readonly type: 'float32' | 'int32';
  readonly shape: readonly (number | string)[];
}

/** Applies `map` to every input that is there. */
export function mapInputs<A, B>(
  inputs: VisionInputs<A>,
  map: (input: A, name: keyof VisionInputs<unknown>) => B,
): VisionInputs<B> {
  const { pixels, positionIds, windows } = inputs;
  return {
    pixels: map(pixels, 'pixels'),
    positionIds: map(positionIds, 'positionIds'),
    ...(windows !== undefined && { windows: map(windows, 'windows') }),
  };
}

/**
 * Stacks the views of images in order: neighbours of one size go together, up to `patches` patches and at least one view a
 * stack. A stack is made when it is asked for.
 */
export function* stackViews(
  images: readonly VisionInputs<PlainTensor>[],
  patches = Infinity,
): Generator<VisionInputs<PlainTensor>> {
  const stacks: VisionInputs<PlainTensor>[][] = [];
  for (const view of images.flatMap(viewsOf)) {
    const stack = stacks.at(-1);
    const fits =
      stack && sizeOf(stack[0]!) === sizeOf(view) && (stack.length + 1) * view.positionIds.shape[1]! <= patches;
    if (fits) stack.push(view);
    else stacks.push([view]);
  }
  for (const views of stacks) yield mapInputs(views[0]!, (_, name) => stacked(views.map((view) => view[name]!)));
}

function viewsOf(image: VisionInputs<PlainTensor>): VisionInputs<PlainTensor>[] {
  const [count = 0] = image.pixels.shape;
  return Array.from({ length: count }, (_, i) =>
    mapInputs(image, ({ data, shape }) => {
      const size = data.length / count;
      return { data: data.subarray(i * size, (i + 1) * size), shape: [1, ...shape.slice(1)] };
    }),
  );
}

function sizeOf(view: VisionInputs<PlainTensor>): string {
  return JSON.stringify(mapInputs(view, ({ shape }) => shape));
}

function stacked(views: readonly PlainTensor[]): PlainTensor {
  const [{ data, shape }] = views as [PlainTensor];
  const all = data instanceof Float32Array ? new Float32Array(views.length * data.length) : new Int32Array(views.length * data.length); // prettier-ignore
  views.forEach((view, i) => all.set(view.data, i * data.length));
  return { data: all, shape: [views.length, ...shape.slice(1)] };
}
