import type { Consumer, ConsumerConfig, ConsumerRunConfig } from 'kafkajs';
import { isNotYet } from './kafka-error.js';

/** How long a group's coordinator is waited for that has just started, or taken the group over. */
const NOT_YET_MS = 10_000;
const AGAIN_AFTER_MS = 200;

/**
 * Has a consumer of kafkajs end when it fails. By default it starts itself anew in the background, which its `disconnect` does not stop: one
 * that was closed while the cluster was away would join again when that is back, and hold partitions that nobody reads.
 */
export const ENDS_ON_FAILURE: Required<Pick<ConsumerConfig, 'retry'>> = {
  retry: { restartOnFailure: async () => false },
};

/**
 * Resolves once the consumer has joined its group and fetches. Throws what kafkajs fails with; the consumer is to be disconnected then.
 *
 * @param topics by their names on the cluster
 * @param onFailure told what ends the consumer later
 */
export async function joinGroup(
  consumer: Consumer,
  topics: string[],
  config: ConsumerRunConfig,
  onFailure: (error: Error) => void,
): Promise<void> {
  const deadline = performance.now() + NOT_YET_MS;
  let failed: (error: Error) => void;
  consumer.on(consumer.events.CRASH, ({ payload: { error } }) => failed(error));
  for (;;) {
    let failure: Error | undefined;
    failed = (error) => (failure = error);
    await consumer.connect();
    await consumer.subscribe({ topics, fromBeginning: true });
    // Resolves also when joining failed.
    await consumer.run({ autoCommit: false, ...config });
    failed = onFailure;
    if (!failure) return;
    if (!isNotYet(failure) || performance.now() > deadline) throw failure;
    await new Promise((resolve) => setTimeout(resolve, AGAIN_AFTER_MS));
  }
}
