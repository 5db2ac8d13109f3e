import type { Metrics } from '@mpa/service-kit';
import type { TrainStep } from './train.js';

/** Counts what the trainer does. */
export class TrainingMetrics {
  readonly #steps;
  readonly #planned;
  readonly #loss;
  readonly #gradientNorm;

  constructor(private readonly metrics: Metrics) {
    this.#steps = metrics.counter({ name: 'mpa_training_steps_total', help: 'Optimizer steps' });
    this.#planned = metrics.gauge({
      name: 'mpa_training_planned_steps',
      help: 'Optimizer steps of the whole training that is, or was last, in work',
    });
    this.#loss = metrics.gauge({
      name: 'mpa_training_loss',
      help: 'Terms of the loss at the last step, before their coefficients; the answer in nats per token',
      labels: ['term'],
    });
    this.#gradientNorm = metrics.gauge({
      name: 'mpa_training_gradient_norm',
      help: 'L2 norm of the gradient at the last step, before clipping',
    });
  }

  /** A step is done. */
  stepped({ steps, gradientNorm, terms }: Pick<TrainStep, 'steps' | 'gradientNorm' | 'terms'>): void {
    this.#steps.inc();
    this.#planned.set(steps);
    this.#gradientNorm.set(gradientNorm);
    for (const { name, raw } of terms) this.#loss.set({ term: name }, raw);
    this.metrics.records.inc({ outcome: 'trained' }, terms[0]?.questions ?? 0);
  }
}
