/** Collects the shapes of a model's tensors under their names in the checkpoint. */
export class WeightShapes extends Map<string, readonly number[]> {
  /** `${module}.weight` [out, in] and, with bias, `${module}.bias` [out]. */
  linear(module: string, out: number, input: number, bias: boolean): void {
    this.set(`${module}.weight`, [out, input]);
    if (bias) this.set(`${module}.bias`, [out]);
  }

  /** `${module}.weight` and `${module}.bias` [width]. */
  layerNorm(module: string, width: number): void {
    this.rmsNorm(module, width);
    this.set(`${module}.bias`, [width]);
  }

  /** `${module}.weight` [width]. */
  rmsNorm(module: string, width: number): void {
    this.set(`${module}.weight`, [width]);
  }

  /** `${module}.weight` [width, 3, patchSize, patchSize] and, with bias, `${module}.bias` [width]. */
  patchEmbed(module: string, width: number, patchSize: number, bias: boolean): void {
    this.set(`${module}.weight`, [width, 3, patchSize, patchSize]);
    if (bias) this.set(`${module}.bias`, [width]);
  }
}
