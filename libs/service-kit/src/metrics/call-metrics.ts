import type { Implementation, ImplementOptions } from '@mpa/contracts';
import type { Metrics } from './metrics.js';

/** From a lookup to a training. */
const SECONDS = [0.01, 0.1, 1, 10, 60, 600, 3600, 36_000];
const LABELS = ['grpc_type', 'grpc_service', 'grpc_method'] as const;

type Method = Parameters<NonNullable<ImplementOptions['onCall']>>[0];

/** Counts the calls of a service, under the names that gRPC's Prometheus libraries use. */
export class CallMetrics {
  readonly #started;
  readonly #handled;
  readonly #seconds;

  constructor(metrics: Metrics) {
    this.#started = metrics.counter({
      name: 'grpc_server_started_total',
      help: 'Calls that have begun',
      labels: LABELS,
    });
    this.#handled = metrics.counter({
      name: 'grpc_server_handled_total',
      help: 'Calls that have ended, by status',
      labels: [...LABELS, 'grpc_code'],
    });
    this.#seconds = metrics.histogram(
      { name: 'grpc_server_handling_seconds', help: 'Seconds from the beginning of a call to its end', labels: LABELS },
      SECONDS,
    );
  }

  /** Begins at zero for the methods of a service: Prometheus tells a growth from zero only where it has seen the zero. */
  expect({ definition }: Pick<Implementation, 'definition'>): void {
    for (const method of Object.values(definition)) {
      const labels = labelsOf(method);
      this.#started.inc(labels, 0);
      for (const grpc_code of ['OK', 'INTERNAL']) this.#handled.inc({ ...labels, grpc_code }, 0);
      this.#seconds.zero(labels);
    }
  }

  /** Counts a call: for {@link ImplementOptions}. */
  readonly onCall: NonNullable<ImplementOptions['onCall']> = (method) => {
    const labels = labelsOf(method);
    this.#started.inc(labels);
    const stop = this.#seconds.startTimer(labels);
    return (code) => {
      this.#handled.inc({ ...labels, grpc_code: code });
      stop();
    };
  };
}

function labelsOf({ path, responseStream }: Method): Record<(typeof LABELS)[number], string> {
  const [, grpc_service = '', grpc_method = ''] = path.split('/');
  return { grpc_type: responseStream ? 'server_stream' : 'unary', grpc_service, grpc_method };
}
