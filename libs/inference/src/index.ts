/** A model as the services use it: a checkpoint, whose images are looked at once and asked about in batches, or one behind an endpoint. */
export { modelConfig, type ModelConfig } from './model-config.js';
export { modelService, withModelErrors } from './model-service.js';
export { isPrepared, prepareImage } from './prepare-image.js';
export { endpointConfig, endpointSettings, type EndpointConfig } from './remote/endpoint-config.js';
export { endpointKey } from './remote/endpoint-key.js';
export { endpointNamed, isEndpoint } from './remote/named-endpoint.js';
export { RemoteModel } from './remote/remote-model.js';
export { addUsage, costOf, NO_USAGE, usageOf, type Usage } from './remote/usage.js';
export { imageFault, imageOf, readImage, type ImageFault, type ReadImageOptions } from './read-image.js';
export {
  VisionModel,
  type Answer,
  type Examined,
  type Question,
  type Sampling,
  type SeenImage,
} from './vision-model.js';
export {
  TeacherError,
  TeacherFault,
  type Asking,
  type LoadOptions,
  type SignalKind,
  type Teacher,
  type TeacherAnswer,
  type TokenProbability,
} from './teacher.js';
