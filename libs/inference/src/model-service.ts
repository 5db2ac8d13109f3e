import { implement, ModelService, RpcError } from '@mpa/contracts';
import type { ImageInput, Implementation, ImplementOptions } from '@mpa/contracts';
import { OnnxError } from '@mpa/onnx';
import type { ImageStore } from '@mpa/storage';
import { CheckpointError, ImageError } from '@mpa/vlm';
import { TeacherError, TeacherFault, type Teacher, type TeacherQuestion } from './teacher.js';

/** A model that is asked from afar; not every one can score. */
type Served<Prepared, Seen> = Pick<Teacher<Prepared, Seen>, 'load' | 'look' | 'answer' | 'inTurn'> & {
  score?(questions: readonly (TeacherQuestion<Seen> & { readonly answer: string })[]): Promise<number[]>;
};

/**
 * ModelService for a model: answers questions about images, which it reads from `images`, and scores answers. A
 * log-probability that the model does not tell is NaN.
 */
export function modelService<Prepared, Seen>(
  model: Served<Prepared, Seen>,
  images: ImageStore,
  options: ImplementOptions,
): Implementation {
  return implement(
    ModelService,
    {
      answer: async ({ image: input, questions }, { signal }) => {
        if (questions.length === 0) throw new RpcError('INVALID_ARGUMENT', 'the request has no questions');
        const prepared = await model.load(sourceOf(input), { images, sampleId: '', signal });
        const { result: answers } = await model.inTurn(async () => {
          signal.throwIfAborted();
          const [image] = await model.look([prepared]);
          const asked = questions.map((text) => ({ image: image!, text }));
          return model.answer(asked, { purpose: 'answer', signal });
        });
        return { answers: answers.map(({ text, logProbability = NaN }) => ({ text, logProbability })) };
      },
      score: async ({ image: input, question: text, answers }, { signal }) => {
        if (answers.length === 0) throw new RpcError('INVALID_ARGUMENT', 'the request has no answers');
        if (!model.score)
          throw new RpcError('UNIMPLEMENTED', 'a model behind an endpoint does not score given answers');
        const prepared = await model.load(sourceOf(input), { images, sampleId: '', signal });
        const { result: logProbabilities } = await model.inTurn(async () => {
          signal.throwIfAborted();
          const [image] = await model.look([prepared]);
          return model.score!(answers.map((answer) => ({ image: image!, text, answer })));
        });
        return { logProbabilities };
      },
    },
    withModelErrors(options),
  );
}

/** Adds the status codes of models and images to what a service converts; what it converts itself comes first. */
export function withModelErrors(options: ImplementOptions): ImplementOptions {
  return { ...options, convert: (error) => options.convert?.(error) ?? statusOfModel(error) };
}

function sourceOf(input: ImageInput | undefined): Pick<ImageInput, 'source'> {
  return input ?? { source: { case: undefined } };
}

function statusOfModel(error: unknown): RpcError | undefined {
  if (error instanceof TeacherFault) return new RpcError('INVALID_ARGUMENT', error.message, { cause: error });
  if (error instanceof TeacherError) {
    const code = error.kind === 'budget' ? 'RESOURCE_EXHAUSTED' : 'FAILED_PRECONDITION';
    return new RpcError(code, error.message, { cause: error });
  }
  if (error instanceof ImageError) return new RpcError('INVALID_ARGUMENT', error.message, { cause: error });
  if (error instanceof OnnxError) return new RpcError('INVALID_ARGUMENT', error.message, { cause: error });
  if (error instanceof CheckpointError) return new RpcError('FAILED_PRECONDITION', error.message, { cause: error });
  return undefined;
}
