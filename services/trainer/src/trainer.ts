import { implement, TrainerService } from '@mpa/contracts';
import type { Service } from '@mpa/service-kit';
import { checkDevice, computeProvider, loadTensorflow, TensorflowError } from '@mpa/tensorflow';
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
    if (config.device !== undefined && computeProvider() !== config.device) {
      throw new TensorflowError(
        `device: ${config.device} is set, but TensorFlow ${version} would compute on ${devices.join(', ')} ` +
          `(${why}): see whether nvidia-smi finds a GPU here and a new enough driver, and what mpa doctor says`,
      );
    }
    checkDevice();
    const handlers = { train: trainHandler(config, context) };
    const options = { ...context.implementOptions, convert: toRpcError };
    return { implementations: [implement(TrainerService, handlers, options)], close: async () => undefined };
  },
};
