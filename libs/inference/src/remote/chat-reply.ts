import { z } from 'zod';

const token = z.object({ token: z.string(), logprob: z.number() });

const text = z
  .union([z.string(), z.array(z.object({ text: z.string().default('') }))])
  .nullish()
  .transform((content) => (typeof content === 'string' ? content : (content ?? []).map((part) => part.text).join('')));

const choice = z.object({
  message: z.object({ content: text, refusal: z.string().nullish() }),
  finish_reason: z.string().nullish(),
  logprobs: z.object({ content: z.array(token).nullish() }).nullish(),
});

/** The part of a `chat.completion` object that is used (platform.openai.com/docs/api-reference/chat/object). */
export const chatReply = z.object({
  choices: z.array(choice).nonempty(),
  usage: z.object({ prompt_tokens: z.int().min(0).default(0), completion_tokens: z.int().min(0).default(0) }).nullish(),
});

/** See {@link chatReply}. */
export type ChatReply = z.output<typeof chatReply>;

/** Whether one of the texts was held back by the server's own filter. */
export function isFiltered({ finish_reason, message }: ChatReply['choices'][number]): boolean {
  return finish_reason === 'content_filter' || Boolean(message.refusal);
}
