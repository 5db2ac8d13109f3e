import { createHash } from 'node:crypto';
import { create, TeacherReplySchema, type MessageInitShape, type TeacherReply } from '@mpa/contracts';
import { topics } from '@mpa/service-kit';
import { IdTable, type Streams } from '@mpa/streams';
import type { Tokens } from './budget.js';
import { addUsage, NO_USAGE, usageOf, type Usage } from './usage.js';

/** Key of the records that are about no image. */
const NO_SAMPLE = 'probe';

/** Replies of a session that are held, for a batch may come again. */
const HELD = 4096;

/** A record as it is made. */
export type NewReply = Exclude<MessageInitShape<typeof TeacherReplySchema>, TeacherReply>;

/** Where what an endpoint replies is kept. */
export interface ReplyLog {
  /** What earlier sessions used. */
  readonly usage: Usage;
  /** Whether there is a reply about an image. */
  readonly hasAnswered: boolean;
  /** Tokens of the largest request of earlier sessions. */
  readonly largest: Tokens;
  /** The reply to a request that was answered before, in this session or an earlier one. */
  find(id: string): TeacherReply | undefined;
  /** Keeps a reply under its request's id; a failed one under an id of its own, for the request may be sent again. */
  add(id: string, reply: NewReply): Promise<void>;
}

/** A log that forgets: for calls that belong to no run. */
export function forgetfulLog(): ReplyLog {
  const nothing = { usage: NO_USAGE, hasAnswered: false, largest: NO_USAGE };
  return { ...nothing, find: () => undefined, add: async () => undefined };
}

/**
 * The log of a run, on the topic `replies`. What was said about images that have no annotation yet is held, so that they are not asked
 * about again. Memory: a digest of every annotation's key while it opens, see {@link IdTable}.
 */
export async function openReplyLog(streams: Streams): Promise<ReplyLog> {
  const annotated = new IdTable();
  for await (const { key } of streams.readAll(topics.annotations.name)) annotated.add(key);
  const held = new Map<string, TeacherReply>();
  let usage = NO_USAGE;
  let hasAnswered = false;
  let largest: Tokens = NO_USAGE;
  for await (const { record, message: reply } of topics.replies.read(streams)) {
    usage = addUsage(usage, usageOf(reply));
    hasAnswered ||= reply.sampleId !== '' && !reply.failed;
    largest = {
      inputTokens: Math.max(largest.inputTokens, reply.inputTokens / Math.max(1, reply.requests)),
      outputTokens: Math.max(largest.outputTokens, reply.outputTokens / Math.max(1, reply.requests)),
    };
    if (!reply.failed && !annotated.has(record.key)) held.set(record.id, reply);
  }
  return {
    usage,
    hasAnswered,
    largest,
    find: (id) => held.get(id),
    async add(id, reply) {
      const message = create(TeacherReplySchema, reply);
      const record = topics.replies.record(reply.sampleId || NO_SAMPLE, message, { id });
      await streams.producer.send(topics.replies.name, [record]);
      if (message.failed) return;
      held.set(id, message);
      if (held.size > HELD) held.delete(held.keys().next().value!);
    },
  };
}

/** The id of a request: the same for the same question about the same image of the same sample. */
export function requestId(sampleId: string, purpose: string, ...content: readonly unknown[]): string {
  const digest = createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 24);
  return `${sampleId || NO_SAMPLE}/${purpose}/${digest}`;
}
