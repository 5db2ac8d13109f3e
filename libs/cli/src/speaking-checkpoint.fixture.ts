import { AdamW, collate, crossEntropy, disposeLayout, layOut, lossAndGradients, packTurns, Parameters, TensorModel, tf } from '@mpa/tensorflow'; // prettier-ignore
import { decodeImage, openCheckpoint, saveCheckpoint } from '@mpa/vlm';

/** What a model is to say, whatever the image. */
export interface Line {
  readonly prompt: string;
  readonly answer: string;
}

/** Loss in nats per token at which greedy decoding says the lines for sure. */
const LEARNT = 0.005;

/**
 * Teaches a copy of the checkpoint `from` to say just these lines under these prompts, on `images`: a teacher that
 * annotates, from weights that otherwise speak noise. Takes seconds with a tiny model.
 */
export async function writeSpeakingCheckpoint(
  to: string,
  from: string,
  lines: readonly Line[],
  images: readonly string[],
): Promise<void> {
  const checkpoint = await openCheckpoint(from);
  const { processor, family, config, shape } = checkpoint;
  const parameters = new Parameters(checkpoint.weights, { kind: 'full' }, () => 0.5);
  const optimizer = new AdamW(parameters, { weightDecay: 0 });
  try {
    const model = new TensorModel(family, config, parameters);
    const samples = await Promise.all(
      images.map(async (file) => {
        const image = processor.image(await decodeImage(file));
        const turns = lines.map(({ prompt, answer }) => {
          const content = [{ type: 'image' }, { type: 'text', text: prompt }] as const;
          return { prompt: processor.prompt([{ role: 'user', content }], [image]), answer: processor.answer(answer) };
        });
        return packTurns(turns, [image]);
      }),
    );
    const layout = layOut(collate(samples, shape), shape);
    for (let step = 0; step < 400; step++) {
      const { value, gradients } = lossAndGradients(parameters, () => {
        const hidden = model.hidden(layout, model.imageFeatures(layout));
        return crossEntropy(model.targetLogProbabilities(layout, hidden), layout.targets.weights).asScalar();
      });
      const loss = value.dataSync()[0]!;
      optimizer.step(gradients, 3e-3);
      tf.dispose([value, ...gradients.values()]);
      if (loss < LEARNT) break;
    }
    disposeLayout(layout);
    await saveCheckpoint(to, checkpoint, (name) => parameters.read(name), 'F32');
  } finally {
    optimizer.dispose();
    parameters.dispose();
    checkpoint.close();
  }
}
