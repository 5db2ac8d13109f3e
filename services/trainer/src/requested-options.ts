import type { TrainingOptions } from '@mpa/contracts';
import { checkConfig } from '@mpa/service-kit';
import { trainOptions } from './train-options.js';
import type { TrainOptions } from './train-options.js';

/** A request's options, what they leave out taken from `defaults`. Throws ConfigError naming the option that is wrong. */
export function requestedOptions(requested: TrainingOptions | undefined, defaults: TrainOptions): TrainOptions {
  if (!requested) return defaults;
  const { $typeName: _, $unknown: __, trainable, ...numbers } = requested;
  const given = Object.fromEntries(Object.entries(numbers).filter(([, value]) => value !== undefined));
  const merged = { ...defaults, ...given, trainable: choiceOf(trainable) ?? defaults.trainable };
  return checkConfig(merged, trainOptions, 'options of the request');
}

function choiceOf({ case: kind, value }: TrainingOptions['trainable']): object | undefined {
  switch (kind) {
    case 'full':
      return { kind };
    case 'named':
      return { kind, pattern: value.pattern };
    case 'lora':
      return { kind, rank: value.rank, alpha: value.alpha, targets: value.targets };
    case undefined:
      return undefined;
  }
}
