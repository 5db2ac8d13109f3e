/** A matrix in blocks along its rows, as the contributed operator MatMulNBits reads it. */
export interface QuantizedMatrix {
  /** [rows, blocks, blockSize * bits / 8]; at 4 bits the lower half of a byte comes first. */
  readonly values: Uint8Array;
  /** One scale a block, [rows, blocks]; a value v stands for (v - 2^(bits-1)) * scale. */
  readonly scales: Float32Array;
}

/**
 * Rounds `matrix` [rows, columns] to `bits` per value, each block of `blockSize` columns with the scale that takes its largest
 * magnitude to the end of the range. The last block is filled up with zeros.
 */
export function quantizeBlocks(matrix: Float32Array, columns: number, bits: 4 | 8, blockSize: number): QuantizedMatrix {
  const rows = matrix.length / columns;
  const blocks = Math.ceil(columns / blockSize);
  const zero = 2 ** (bits - 1);
  const perByte = 8 / bits;
  const values = new Uint8Array((rows * blocks * blockSize) / perByte);
  const scales = new Float32Array(rows * blocks);
  for (let block = 0; block < rows * blocks; block++) {
    const start = Math.floor(block / blocks) * columns + (block % blocks) * blockSize;
    const length = Math.min(blockSize, columns - (block % blocks) * blockSize);
    const scale = blockScale(matrix, start, length, zero);
    scales[block] = scale;
    for (let i = 0; i < blockSize; i++) {
      const level = i < length && scale !== 0 ? Math.round(matrix[start + i]! / scale) : 0;
      const value = Math.min(2 * zero - 1, Math.max(0, level + zero));
      const index = block * blockSize + i;
      const byte = Math.floor(index / perByte);
      values[byte] = values[byte]! | (value << (bits * (index % perByte)));
    }
  }
  return { values, scales };
}

// The value of largest magnitude becomes -2^(bits-1), the longer end of the range, whatever its sign.
function blockScale(matrix: Float32Array, start: number, length: number, zero: number): number {
  let extreme = 0;
  for (let i = start; i < start + length; i++) {
    if (Math.abs(matrix[i]!) > Math.abs(extreme)) extreme = matrix[i]!;
  }
  return Math.fround(extreme / -zero);
}
