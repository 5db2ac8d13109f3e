import { AsyncLocalStorage } from 'node:async_hooks';
import { modelCalls, onGeneratedTokens } from '@mpa/telemetry';
import type { ModelCall } from '@mpa/telemetry';
import type { Metrics } from './metrics.js';

/** Counts how long models compute for a service, and what they write. */
export class ModelMetrics {
  /** Several services may share a process, and a model does not know whose it is. */
  readonly #isOurs = new AsyncLocalStorage<true>();
  readonly #end: () => void;

  constructor(metrics: Metrics) {
    const seconds = metrics.counter({
      name: 'mpa_model_seconds_total',
      help: 'Seconds that calls of models took, by what was computed and on what',
      labels: ['kind', 'provider'],
    });
    const tokens = metrics.counter({ name: 'mpa_generated_tokens_total', help: 'Tokens that models have written' });
    const stopListening = onGeneratedTokens((count) => void (this.#isOurs.getStore() && tokens.inc(count)));
    const began = new Map<object, number>();
    const end = (call: ModelCall): void => {
      const at = began.get(call);
      if (at === undefined) return;
      began.delete(call);
      seconds.inc({ kind: call.kind, provider: call.provider }, (performance.now() - at) / 1000);
    };
    const subscribers: Parameters<typeof modelCalls.subscribe>[0] = {
      start: (call) => void (this.#isOurs.getStore() && began.set(call, performance.now())),
      // A synchronous call ends here with its result, an asynchronous one later.
      end: (call) => void ('result' in call && end(call)),
      asyncStart: () => undefined,
      asyncEnd: end,
      error: end,
    };
    modelCalls.subscribe(subscribers);
    this.#end = () => {
      stopListening();
      modelCalls.unsubscribe(subscribers);
    };
  }

  /** Runs `work`: the models that it asks, then or later, count to this service. */
  count<T>(work: () => T): T {
    return this.#isOurs.run(true, work);
  }

  /** Counts nothing any more. */
  close(): void {
    this.#end();
  }
}
