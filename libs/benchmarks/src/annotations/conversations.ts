import { z } from 'zod';
import type { AnnotatedQuestion } from './annotated-question.js';

/** Questions as the turns of a conversation, one answer each, as training programs keep them (LLaVA's format). */
export const conversationsFile = z.array(
  z.object({
    id: z.union([z.number(), z.string()]),
    image: z.string().min(1),
    conversations: z.array(z.object({ from: z.string(), value: z.string() })).min(2),
  }),
);

const IMAGE_MARK = /<image>\s*/g;

/**
 * The questions of such a file: a human turn and the answer to it. Images are looked for at every ending of their path, the longest first,
 * since the path is often one of another machine.
 */
export function readConversations(file: z.infer<typeof conversationsFile>): AnnotatedQuestion[] {
  return file.flatMap(({ id, image, conversations }) => {
    const parts = image.split('/').filter((part) => part !== '');
    const imageNames = parts.map((_, i) => parts.slice(i).join('/'));
    const asked = conversations.flatMap(({ from, value }, i) => {
      const answer = conversations[i + 1];
      if (from !== 'human' || answer?.from !== 'gpt') return [];
      return [{ question: value.replace(IMAGE_MARK, '').trim(), answers: [answer.value] }];
    });
    return asked.map((one, i) => ({ id: i === 0 ? String(id) : `${id}-${i}`, imageNames, ...one }));
  });
}
