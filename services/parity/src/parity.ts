import { AnnotationStatus, implement, ParityService, RpcError, WorkerService } from '@mpa/contracts';
import type { DecideRequest, Decision } from '@mpa/contracts';
import { imageOf, modelService, readImage, VisionModel, withModelErrors } from '@mpa/inference';
import type { ReadImageOptions } from '@mpa/inference';
import { workerHandlers } from '@mpa/service-kit';
import type { Service } from '@mpa/service-kit';
import { ImageStore } from '@mpa/storage';
import { decideAnnotations } from './decide-annotations.js';
import { decisionStage } from './decision-stage.js';
import { parityConfig } from './parity-config.js';
import type { ParityConfig } from './parity-config.js';

/** The Parity Identifier: ParityService, ModelService, and WorkerService from `annotations` to `decisions`. */
export const parity: Service<typeof parityConfig> = {
  name: 'parity',
  config: parityConfig,
  async start(config, context) {
    const model = await VisionModel.open(config.model, context.fail);
    const images = new ImageStore({ ...config.images, roots: context.places.images });
    const options = withModelErrors(context.implementOptions);
    return {
      implementations: [
        implement(
          ParityService,
          { decide: (request, { signal }) => decideOne(model, request, config, { images, signal }) },
          options,
        ),
        modelService(model, images, options),
        implement(
          WorkerService,
          workerHandlers(() => Promise.resolve(decisionStage(model, images, config)), context),
          options,
        ),
      ],
      close: () => model.close(),
    };
  },
};

async function decideOne(
  model: VisionModel,
  { annotation, image: input }: DecideRequest,
  config: ParityConfig,
  reading: ReadImageOptions,
): Promise<{ decision: Decision }> {
  if (annotation?.status !== AnnotationStatus.ANNOTATED) {
    throw new RpcError('FAILED_PRECONDITION', 'only an annotation with status ANNOTATED can be decided about');
  }
  const image = input ? await imageOf(input, reading) : await readImage(annotation.image?.uri ?? '', reading);
  const prepared = model.prepare(image);
  const { result } = await model.inTurn(async () => {
    reading.signal?.throwIfAborted();
    const [seen] = await model.look([prepared]);
    return decideAnnotations(model, [{ annotation, image: seen! }], config);
  });
  return { decision: result[0]! };
}
