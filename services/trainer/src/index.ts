/** The trainer: the service, and the training loop for those who measure it. */
export { trainer } from './trainer.js';
export type { TrainerConfig } from './trainer-config.js';
export { trainableOf, trainOptions, type TrainOptions } from './train-options.js';
export { learningRate } from './learning-rate.js';
export { train, type TrainContext, type TrainStep } from './train.js';
export { seededRandom, type SeededRandom } from './random.js';
export { selectedSamples, type SelectedSamples, type SelectedSamplesOptions } from './selected-samples.js';
export { repeated, type TrainingSource } from './training-source.js';
export { pretrain, type Phase, type PretrainOptions, type PretrainProgress } from './pretrain/pretrain.js';
export { recipes, type Recipe } from './pretrain/recipes.js';
