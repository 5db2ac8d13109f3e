import { pathToFileURL } from 'node:url';
import { RemoteModel, TeacherFault, VisionModel } from '@mpa/inference';
import type { EndpointConfig, ModelConfig } from '@mpa/inference';
import type { ImageStore } from '@mpa/storage';
import type { RgbImage } from '@mpa/vlm';

/** A decoded image and its file. */
export interface ReadImage {
  readonly path: string;
  readonly image: RgbImage;
}

/** A model that answers questions, wherever it runs. `Seen` is an image that it can be asked about. */
export interface Answering<Seen> {
  /** Whether its first answers take longer than later ones. */
  readonly warmsUp: boolean;
  look(images: readonly ReadImage[]): Promise<Seen[]>;
  /** The likeliest answer to each question. */
  answer(questions: readonly { readonly image: Seen; readonly text: string }[], signal: AbortSignal): Promise<string[]>;
  close(): Promise<void>;
}

/** Opens a checkpoint. Throws CheckpointError or OnnxError. */
export async function openCheckpointModel(config: ModelConfig): Promise<Answering<unknown>> {
  const model = await VisionModel.open(config);
  const answering: Answering<Awaited<ReturnType<VisionModel['look']>>[number]> = {
    warmsUp: true,
    look: (images) => model.look(images.map(({ image }) => model.prepare(image))),
    answer: async (questions) => (await model.answer(questions)).map(({ text }) => text),
    close: () => model.close(),
  };
  return answering;
}

/**
 * A model behind an endpoint. A question that it cannot be asked, by its image's fault, has an empty answer. Asking throws
 * TeacherError when it answers nothing any more or the budget is used up.
 */
export function openEndpointModel(
  config: EndpointConfig,
  key: string | undefined,
  store: ImageStore,
): Answering<unknown> {
  const model = new RemoteModel(config, key);
  const answering: Answering<Awaited<ReturnType<RemoteModel['load']>>> = {
    warmsUp: false,
    look: (images) =>
      Promise.all(
        images.map(({ path }) =>
          model.load({ source: { case: 'uri', value: pathToFileURL(path).href } }, { images: store, sampleId: path }),
        ),
      ),
    answer: (questions, signal) =>
      Promise.all(
        questions.map(async (question) => {
          try {
            return (await model.answer([question], { purpose: 'answer', signal }))[0]!.text;
          } catch (error) {
            if (error instanceof TeacherFault) return '';
            throw error;
          }
        }),
      ),
    close: () => model.close(),
  };
  return answering;
}
