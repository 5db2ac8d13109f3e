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

/** What a model said to a question. */
export interface GivenAnswer {
  readonly text: string;
  /** Why there is no answer, though the question may be answered another time. */
  readonly failed?: string | undefined;
}

/** A model that answers questions, wherever it runs. `Seen` is an image that it can be asked about. */
export interface Answering<Seen> {
  /** Whether its first answers take longer than later ones. */
  readonly warmsUp: boolean;
  look(images: readonly ReadImage[]): Promise<Seen[]>;
  /** The likeliest answer to each question. */
  answer(
    questions: readonly { readonly image: Seen; readonly text: string }[],
    signal: AbortSignal,
  ): Promise<GivenAnswer[]>;
  close(): Promise<void>;
}

/**
 * Opens a checkpoint. Throws CheckpointError, OnnxError or TeacherError.
 *
 * @param onBroken told when only a new process can go on with it
 */
export async function openCheckpointModel(
  config: ModelConfig,
  onBroken: (error: Error) => void,
): Promise<Answering<unknown>> {
  const model = await VisionModel.open(config, onBroken);
  const answering: Answering<Awaited<ReturnType<VisionModel['look']>>[number]> = {
    warmsUp: true,
    look: (images) => model.look(images.map(({ image }) => model.prepare(image))),
    answer: async (questions) => (await model.answer(questions)).map(({ text }) => ({ text })),
    close: () => model.close(),
  };
  return answering;
}

/**
 * A model behind an endpoint. A question that it refuses, by its image's fault, has an empty answer; so has one at which it fails
 * time and again, marked as `failed`. Asking throws TeacherError when it answers nothing any more or the budget is used up.
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
            const [answer] = await model.answer([question], { purpose: 'answer', signal });
            return { text: answer!.text };
          } catch (error) {
            if (!(error instanceof TeacherFault)) throw error;
            const mayPass = error.reason === 'teacher-failed' || error.reason === 'unusable-reply';
            return { text: '', ...(mayPass && { failed: error.message }) };
          }
        }),
      ),
    close: () => model.close(),
  };
  return answering;
}
