import type { EndpointUsage, TeacherUsage } from '@mpa/console';
import { addUsage, costOf, NO_USAGE, usageOf, type EndpointConfig, type Usage } from '@mpa/inference';
import { topics } from '@mpa/service-kit';
import type { Streams } from '@mpa/streams';

/** Prices for a million tokens. */
export type Prices = EndpointConfig['prices'];

/** Sums up a run's replies of an L-VLM behind an endpoint; null when there are none. */
export async function teacherUsage(
  streams: Streams,
  prices: Prices,
  missingSignals: TeacherUsage['missingSignals'],
): Promise<TeacherUsage | null> {
  const stages: Record<string, Usage> = {};
  let total = NO_USAGE;
  for await (const { message: reply } of topics.replies.read(streams)) {
    const usage = usageOf(reply);
    stages[reply.purpose] = addUsage(stages[reply.purpose] ?? NO_USAGE, usage);
    total = addUsage(total, usage);
  }
  if (total.requests === 0) return null;
  const priced = (usage: Usage): EndpointUsage => ({ ...usage, cost: prices ? costOf(usage, prices) : null });
  return {
    stages: Object.fromEntries(Object.entries(stages).map(([purpose, usage]) => [purpose, priced(usage)])),
    total: priced(total),
    missingSignals,
  };
}

/** What was used, in words. */
export function usageWords({ requests, retries, inputTokens, outputTokens, cost }: EndpointUsage): string {
  const count = (value: number): string => value.toLocaleString('en');
  return [
    `${count(requests)} requests${retries > 0 ? ` (${count(retries)} repeated)` : ''}`,
    `${count(inputTokens)} input and ${count(outputTokens)} output tokens`,
    ...(cost === null ? [] : [`cost ${cost.toPrecision(3)}`]),
  ].join(', ');
}
