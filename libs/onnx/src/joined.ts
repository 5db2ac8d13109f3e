/** `target` filled with `parts`, one after the other. */
export function joined<A extends Float32Array | Int32Array>(target: A, parts: readonly A[]): A {
  let offset = 0;
  for (const part of parts) {
    target.set(part, offset);
    offset += part.length;
  }
  return target;
}
