import { implement, ModelService, RpcError } from '@mpa/contracts';
import type { Implementation, ImplementOptions } from '@mpa/contracts';
import { OnnxError } from '@mpa/onnx';
import type { ImageStore } from '@mpa/storage';
import { CheckpointError, ImageError } from '@mpa/vlm';
import { imageOf } from './read-image.js';
import type { VisionModel } from './vision-model.js';

/** ModelService for a model: answers questions about images and scores answers. */
export function modelService(model: VisionModel, images: ImageStore, options: ImplementOptions): Implementation {
  return implement(
    ModelService,
    {
      answer: async ({ image: input, questions }, { signal }) => {
        if (questions.length === 0) throw new RpcError('INVALID_ARGUMENT', 'the request has no questions');
        const prepared = model.prepare(await imageOf(input, { images, signal }));
        const { result: answers } = await model.inTurn(async () => {
          signal.throwIfAborted();
          const [image] = await model.look([prepared]);
          return model.answer(questions.map((text) => ({ image: image!, text })));
        });
        return { answers };
      },
      score: async ({ image: input, question: text, answers }, { signal }) => {
        if (answers.length === 0) throw new RpcError('INVALID_ARGUMENT', 'the request has no answers');
        const prepared = model.prepare(await imageOf(input, { images, signal }));
        const { result: logProbabilities } = await model.inTurn(async () => {
          signal.throwIfAborted();
          const [image] = await model.look([prepared]);
          return model.score(answers.map((answer) => ({ image: image!, text, answer })));
        });
        return { logProbabilities };
      },
    },
    withModelErrors(options),
  );
}

/** Adds the status codes of models and images to what a service converts. */
export function withModelErrors(options: ImplementOptions): ImplementOptions {
  return { ...options, convert: (error) => statusOfModel(error) ?? options.convert?.(error) };
}

function statusOfModel(error: unknown): RpcError | undefined {
  if (error instanceof ImageError) return new RpcError('INVALID_ARGUMENT', error.message, { cause: error });
  if (error instanceof OnnxError) return new RpcError('INVALID_ARGUMENT', error.message, { cause: error });
  if (error instanceof CheckpointError) return new RpcError('FAILED_PRECONDITION', error.message, { cause: error });
  return undefined;
}
