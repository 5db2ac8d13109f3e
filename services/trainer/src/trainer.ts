import { implement, TrainerService } from '@mpa/contracts';
import type { Service } from '@mpa/service-kit';
import { loadTensorflow } from '@mpa/tensorflow';
import { toRpcError } from './to-rpc-error.js';
import { trainHandler } from './train-handler.js';
import { trainerConfig } from './trainer-config.js';

/** The Parity Leveler: fine-tunes the S-VLM on what a run selected. */
export const trainer: Service<typeof trainerConfig> = {
  name: 'trainer',
  config: trainerConfig,
  start: async (config, context) => {
    const { backend, version, devices, why } = await loadTensorflow(config.backend ? { backend: config.backend } : {});
    context.logger.info({ backend, version, devices, why }, 'TensorFlow is loaded');
    const handlers = { train: trainHandler(config, context) };
    const options = { ...context.implementOptions, convert: toRpcError };
    return { implementations: [implement(TrainerService, handlers, options)], close: async () => undefined };
  },
};
