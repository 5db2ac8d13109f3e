import { crossEntropy, lossAndGradients, tf } from '@mpa/tensorflow';
import type { BatchLayout, Optimizer, Parameters, TensorModel, Tensor } from '@mpa/tensorflow';

/** One step of training, forward, backward and optimizer: the loss before it. `features` of the images, where they do not learn. */
export function trainOnce(
  model: TensorModel<unknown>,
  parameters: Parameters,
  optimizer: Pick<Optimizer, 'step'>,
  {
    layout,
    features,
    rate,
  }: { readonly layout: BatchLayout; readonly features?: Tensor | undefined; readonly rate: number },
): number {
  const { value, gradients } = lossAndGradients(parameters, () => {
    const hidden = model.hidden(layout, features ?? model.imageFeatures(layout));
    return crossEntropy(model.targetLogProbabilities(layout, hidden), layout.targets.weights);
  });
  optimizer.step(gradients, rate);
  const [loss] = value.dataSync<'float32'>();
  tf.dispose([value, ...gradients.values()]);
  return loss!;
}
