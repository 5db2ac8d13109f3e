import type { TrainingOptions } from '@mpa/contracts';
import { checkConfig } from '@mpa/service-kit';
import { trainOptions } from './train-options.js';
import type { TrainOptions } from './train-options.js';

/** A request's options, what they leave out taken from `defaults`. Throws ConfigError naming the option that is wrong. */
export function requestedOptions(requested: TrainingOptions | undefined, defaults: TrainOptions): TrainOptions {
  if (!requested) return defaults;
  const given = Object.entries(requested).filter(([key, value]) => key in trainOptions.shape && value !== undefined);
  const merged = { ...defaults, ...Object.fromEntries(given), trainable: choiceOf(requested.trainable) ?? defaults.trainable }; // prettier-ignore
  return checkConfig(merged, trainOptions, 'options of the request');
}

function choiceOf({ case: kind, value }: TrainingOptions['trainable']): object | undefined {
  switch (kind) {
    case 'full':
      return { kind };
    case 'named':
      return { kind, pattern: value.pattern };
    case 'lora':
      return { kind, rank: value.rank, alpha: value.alpha, targets: value.targets.length > 0 ? value.targets : 'all-linear' }; // prettier-ignore
    case undefined:
      return undefined;
  }
}
