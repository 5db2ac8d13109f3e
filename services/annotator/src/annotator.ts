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
import { endpointKey, imageFault, modelService, RemoteModel, VisionModel, withModelErrors } from '@mpa/inference';
import type { Teacher } from '@mpa/inference';
import { ConfigError, workerHandlers } from '@mpa/service-kit';
import type { Service, ServiceContext, ServiceParts } from '@mpa/service-kit';
import { ImageStore } from '@mpa/storage';
import { annotate } from './annotate.js';
import { annotationStage } from './annotation-stage.js';
import { annotatorConfig } from './annotator-config.js';
import type { AnnotatorConfig } from './annotator-config.js';
import { QuestionCounts } from './question-counts.js';
import { wantedSignals } from './signals.js';

/** The Pseudo Annotator: AnnotatorService, ModelService, and WorkerService from `images` to `annotations`. */
export const annotator: Service<typeof annotatorConfig> = {
  name: 'annotator',
  config: annotatorConfig,
  async start(config, context) {
    const { model, endpoint } = config;
    if (model && endpoint) throw new ConfigError('the annotator has a model and an endpoint; give one of the two');
    if (endpoint) return serviceParts(new RemoteModel(endpoint, endpointKey(endpoint, context.env)), config, context);
    if (model) return serviceParts(await VisionModel.open(model, context.fail), config, context);
    throw new ConfigError('the annotator has no L-VLM; give it a model (a checkpoint) or an endpoint');
  },
};

function serviceParts<Prepared extends object, Seen>(
  model: Teacher<Prepared, Seen>,
  config: AnnotatorConfig,
  context: ServiceContext,
): ServiceParts {
  const images = new ImageStore({ ...config.images, roots: context.places.images });
  const corpus = new QuestionCounts(config.diversity);
  const options = withModelErrors(context.implementOptions);
  const worker = workerHandlers(async (streams) => {
    const teacher = await model.forRun(streams);
    const missing = wantedSignals(config.signals).filter((kind) => !teacher.gives.has(kind));
    if (missing.length > 0) context.logger.warn({ missing }, `${teacher.id} cannot give these signals: left out`);
    return annotationStage(teacher, images, streams, config);
  }, context);
  return {
    implementations: [
      implement(
        AnnotatorService,
        { annotate: (request, { signal }) => annotateOne(model, request, corpus, config, { images, signal }) },
        options,
      ),
      modelService(model, images, options),
      implement(WorkerService, worker, options),
    ],
    close: () => model.close(),
  };
}

async function annotateOne<Prepared, Seen>(
  model: Teacher<Prepared, Seen>,
  { image: input, task, sampleId }: AnnotateRequest,
  corpus: QuestionCounts,
  config: AnnotatorConfig,
  reading: { readonly images: ImageStore; readonly signal: AbortSignal },
): Promise<{ annotation: Annotation }> {
  const name = taskName(task);
  const reference = input?.source.case === 'uri' ? { image: { uri: input.source.value } } : {};
  const common = { sampleId, task, ...reference };
  try {
    const prepared = await model.load(input ?? { source: { case: undefined } }, { ...reading, sampleId });
    const { result } = await model.inTurn(async () => {
      reading.signal.throwIfAborted();
      const began = performance.now();
      const [image] = await model.look([prepared]);
      return annotate(model, [{ task: name, image: image! }], corpus, config, { began, signal: reading.signal });
    });
    return { annotation: create(AnnotationSchema, { ...result[0]!, ...common }) };
  } catch (error) {
    const skipped = imageFault(error);
    if (!skipped) throw error;
    return { annotation: create(AnnotationSchema, { ...common, status: AnnotationStatus.SKIPPED, skipped }) };
  }
}
