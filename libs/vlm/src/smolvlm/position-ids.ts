/**
 * Position of each of `side` x `side` patches in the position table, row by row. Float32 fractions of the way
 * across, as `torch.bucketize` sorts them, which for some sides (19, 25, 29, 31, 38, 40...) is not simply the patch's own
 * index. Source: SmolVLMVisionEmbeddings in modeling_smolvlm.py.
 */
export function positionIds(side: number): Int32Array {
  const step = Math.fround(1 / side);
  const boundaries = arange(1 / side, 1, 1 / side);
  const buckets = Array.from({ length: side }, (_, i) => {
    const fraction = Math.min(Math.fround(i * step), Math.fround(1 - 1e-6));
    const bucket = boundaries.findIndex((boundary) => boundary > fraction);
    return bucket === -1 ? boundaries.length : bucket;
  });
  return Int32Array.from({ length: side * side }, (_, i) => {
    return buckets[Math.floor(i / side)]! * side + buckets[i % side]!;
  });
}

/** Values that one step of `torch.arange`'s vector loop makes, and vectors in one. */
const VECTOR = 8;
const BLOCK = 2 * VECTOR;

/**
 * `torch.arange` in float32 on x86: whole blocks are computed from their vector's first value, already rounded to float32; the
 * rest from `start`. Found by comparison with torch 2.13 for every side up to 300, on its plain, AVX2 and AVX-512 paths.
 */
function arange(start: number, end: number, step: number): Float32Array {
  const length = Math.ceil((end - start) / step);
  const inBlocks = length - (length % BLOCK);
  return Float32Array.from({ length }, (_, i) => {
    if (i >= inBlocks) return start + step * i;
    const first = i - (i % VECTOR);
    return Math.fround(start + step * first) + step * (i - first);
  });
}
