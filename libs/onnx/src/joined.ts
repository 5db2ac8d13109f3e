/** `target` filled with `part` of each item, one after the other. */
export function joined<A extends Float32Array | Int32Array, I>(
  target: A,
  items: readonly I[],
  part: (item: I) => A,
): A {
  let offset = 0;
  for (const item of items) {
    const values = part(item);
    target.set(values, offset);
    offset += values.length;
  }
  return target;
}
