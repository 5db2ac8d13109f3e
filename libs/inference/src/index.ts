/** A checkpoint as the services use it: images are looked at once, and asked about in batches. */
export { modelConfig, type ModelConfig } from './model-config.js';
export { modelService, withModelErrors } from './model-service.js';
export { isPrepared, prepareImage } from './prepare-image.js';
export { imageFault, imageOf, readImage, type ImageFault, type ReadImageOptions } from './read-image.js';
export {
  VisionModel,
  type Answer,
  type Examined,
  type Question,
  type Sampling,
  type SeenImage,
} from './vision-model.js';
