import type { StreamRecord, Streams } from '@mpa/streams';
import { outlasting, type Surroundings } from './outlast.js';

/**
 * The same streams, whose reading and writing waits for a cluster that fails: brokers are started anew, and networks mended. A reading
 * that broke off goes on where it was; one without a signal of its own is ended by that of the surroundings.
 */
export function patientStreams(streams: Streams, surroundings: Surroundings): Streams {
  // A broker that does not answer may be asked for minutes before that is an error.
  const attempt = outlasting('the cluster', surroundings, Infinity);

  async function* readAll(...[topic, options]: Parameters<Streams['readAll']>): AsyncGenerator<StreamRecord> {
    const next = new Map(options?.from);
    const signal = options?.signal ?? surroundings.signal;
    const current: { reading?: AsyncIterator<StreamRecord> | undefined } = {};
    const step = async (): Promise<IteratorResult<StreamRecord>> => {
      signal.throwIfAborted();
      const reading = (current.reading ??= streams.readAll(topic, { from: next, signal })[Symbol.asyncIterator]());
      try {
        return await reading.next();
      } catch (error) {
        current.reading = undefined;
        throw error;
      }
    };
    try {
      for (let result = await attempt(step); !result.done; result = await attempt(step)) {
        next.set(result.value.partition, result.value.offset + 1);
        yield result.value;
      }
    } finally {
      await current.reading?.return?.();
    }
  }

  return {
    ...streams,
    producer: { send: (...args) => attempt(() => streams.producer.send(...args)) },
    readAll,
    count: (...args) => attempt(() => streams.count(...args)),
    lag: (...args) => attempt(() => streams.lag(...args)),
  };
}
