import {
  AnnotationSchema,
  AnnotationStatus,
  AnnotatorService,
  create,
  implement,
  taskName,
  WorkerService,
} from '@mpa/contracts';
import type { AnnotateRequest, Annotation } from '@mpa/contracts';
import { imageFault, imageOf, modelService, VisionModel, withModelErrors } from '@mpa/inference';
import type { ReadImageOptions } from '@mpa/inference';
import { workerHandlers } from '@mpa/service-kit';
import type { Service } from '@mpa/service-kit';
import { ImageStore } from '@mpa/storage';
import { annotate } from './annotate.js';
import { annotationStage } from './annotation-stage.js';
import { annotatorConfig } from './annotator-config.js';
import type { AnnotatorConfig } from './annotator-config.js';
import { QuestionCounts } from './question-counts.js';

/** The Pseudo Annotator: AnnotatorService, ModelService, and WorkerService from `images` to `annotations`. */
export const annotator: Service<typeof annotatorConfig> = {
  name: 'annotator',
  config: annotatorConfig,
  async start(config, context) {
    const model = await VisionModel.open(config.model);
    const images = new ImageStore(config.images);
    const corpus = new QuestionCounts(config.diversity);
    const options = withModelErrors(context.implementOptions);
    const stage = workerHandlers((streams) => annotationStage(model, images, streams, config), context);
    return {
      implementations: [
        implement(
          AnnotatorService,
          { annotate: (request, { signal }) => annotateOne(model, request, corpus, config, { images, signal }) },
          options,
        ),
        modelService(model, images, options),
        implement(WorkerService, stage, options),
      ],
      close: () => model.close(),
    };
  },
};

async function annotateOne(
  model: VisionModel,
  { image: input, task, sampleId }: AnnotateRequest,
  corpus: QuestionCounts,
  config: AnnotatorConfig,
  { images, signal }: Required<ReadImageOptions>,
): Promise<{ annotation: Annotation }> {
  const name = taskName(task);
  const reference = input?.source.case === 'uri' ? { image: { uri: input.source.value } } : {};
  const common = { sampleId, task, ...reference };
  let prepared: ReturnType<VisionModel['prepare']>;
  try {
    prepared = model.prepare(await imageOf(input, { images, signal }));
  } catch (error) {
    const skipped = imageFault(error);
    if (!skipped) throw error;
    return { annotation: create(AnnotationSchema, { ...common, status: AnnotationStatus.SKIPPED, skipped }) };
  }
  const { result } = await model.inTurn(async () => {
    signal.throwIfAborted();
    const began = performance.now();
    const [image] = await model.look([prepared]);
    return annotate(model, [{ task: name, image: image! }], corpus, config, began);
  });
  return { annotation: create(AnnotationSchema, { ...result[0]!, ...common }) };
}
