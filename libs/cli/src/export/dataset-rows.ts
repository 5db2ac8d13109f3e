import type { ExportedSample } from './exported-sample.js';

/** What a format that has room for it says beside the conversation; trainers that do not know a key leave it out. */
interface Extras {
  readonly weight: number;
  readonly rationale?: readonly string[];
}

/** How a format writes a sample down. */
export type RowOf = (sample: ExportedSample) => object;

/** The usual mark for where an image stands in a text; trainers count it, so no text may have it by chance. */
const IMAGE = '<image>';
const plain = (text: string): string => text.replaceAll(IMAGE, '');

const extras = ({ weight, signals }: ExportedSample): Extras => ({
  weight,
  ...(signals && signals.rationale.length > 0 && { rationale: signals.rationale.map(({ text }) => text) }),
});

const messages = ({ question, answer }: ExportedSample): object[] => [
  { role: 'user', content: `${IMAGE}${plain(question)}` },
  { role: 'assistant', content: plain(answer) },
];

/**
 * A row for LLaMA-Factory. Source: its data/README.md, "Sharegpt Format", "OpenAI Format" and the multimodal datasets: as many images as
 * marks.
 */
export const sharegptRow: RowOf = (sample) => ({
  messages: messages(sample),
  images: [sample.image],
  ...extras(sample),
});

/** What LLaMA-Factory has to be told of such a file, in `dataset_info.json`. Source: as above. */
export const datasetInfo = (fileName: string): object => ({
  mpa: {
    file_name: fileName,
    formatting: 'sharegpt',
    columns: { messages: 'messages', images: 'images' },
    tags: { role_tag: 'role', content_tag: 'content', user_tag: 'user', assistant_tag: 'assistant' },
  },
});

/** A row for ms-swift, with all else that fits on a line. Source: its docs, "Custom Dataset", standard format and "Multimodal". */
export const swiftRow: RowOf = (sample) => {
  const { id, task, decision, reason, selfCheck, studentAnswer } = sample;
  return {
    messages: messages(sample),
    images: [sample.image],
    ...{ id, task, decision, reason },
    ...{ self_check: selfCheck, student_answer: studentAnswer },
    ...extras(sample),
  };
};

/**
 * A row for LLaVA, and for 2U1's Qwen-VL-Series-Finetune, which asks for the same. Source: LLaVA's docs/Finetune_Custom_Data.md; the README of
 * 2U1/Qwen-VL-Series-Finetune, "Dataset Preparation".
 */
export const llavaRow: RowOf = (sample) => ({
  id: sample.id,
  image: sample.image,
  conversations: [
    { from: 'human', value: `${IMAGE}\n${plain(sample.question)}` },
    { from: 'gpt', value: plain(sample.answer) },
  ],
  ...extras(sample),
});
