/** A matrix with one scale a row, transposed as ONNX's integer products read it. */
export interface RowQuantizedMatrix {
  /** [columns, rows], -127 to 127. */
  readonly values: Int8Array;
  /** [rows]: a value v stands for v * scale. */
  readonly scales: Float32Array;
}

/** Rounds each row of `matrix` [rows, columns] to 8 bits, its largest magnitude becoming 127, and transposes it. */
export function quantizeRows(matrix: Float32Array, columns: number): RowQuantizedMatrix {
  const rows = matrix.length / columns;
  const values = new Int8Array(matrix.length);
  const scales = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    const line = matrix.subarray(row * columns, (row + 1) * columns);
    const scale = Math.fround(line.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 127);
    scales[row] = scale;
    if (scale === 0) continue;
    for (let column = 0; column < columns; column++) {
      values[column * rows + row] = Math.round(line[column]! / scale);
    }
  }
  return { values, scales };
}
