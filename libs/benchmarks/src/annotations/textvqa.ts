import { z } from 'zod';
import {
  inFolders,
  namesOfImage,
  questionNumber,
  type AnnotatedQuestion,
  type QuestionToWrite,
} from './annotated-question.js';

/** TextVQA 0.5.1 (`TextVQA_0.5.1_val.json`, textvqa.org/dataset): the fields that are read; others are allowed. */
export const textvqaFile = z.object({
  data: z.array(
    z.object({
      question_id: z.union([z.number(), z.string()]),
      image_id: z.string().min(1),
      question: z.string().min(1),
      answers: z.array(z.string()).length(10).default([]),
    }),
  ),
});

/** The questions of a TextVQA file; images are `<image_id>.jpg`, in the folders of the download or without. The test split has no answers. */
export function readTextvqa(file: z.infer<typeof textvqaFile>): AnnotatedQuestion[] {
  return file.data.map(({ question_id, image_id, question, answers }) => ({
    id: String(question_id),
    imageNames: inFolders(namesOfImage(image_id), 'train_images', 'test_images'),
    question,
    answers,
  }));
}

/** A TextVQA file of drawn questions. */
export function writeTextvqa(
  questions: readonly QuestionToWrite[],
): z.input<typeof textvqaFile> & Record<string, unknown> {
  return {
    dataset_name: 'textvqa',
    dataset_type: 'val',
    dataset_version: '0.5.1',
    data: questions.map((one) => ({
      question_id: questionNumber(one),
      image_id: one.imageName.replace(/\.\w+$/, ''),
      question: one.question,
      question_tokens: one.question.toLowerCase().match(/\w+/g) ?? [],
      answers: [...one.answers],
      set_name: 'val',
    })),
  };
}
