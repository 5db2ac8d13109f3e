import { z } from 'zod';
import { questionNumber, type AnnotatedQuestion, type QuestionToWrite } from './annotated-question.js';

/** ST-VQA task 1 (`train_task_1.json`, rrc.cvc.uab.es, challenge 11): the fields that are read; others are allowed. */
export const stvqaFile = z.object({
  data: z.array(
    z.object({
      question_id: z.union([z.number(), z.string()]),
      file_path: z.string().min(1),
      question: z.string().min(1),
      answers: z.array(z.string()).min(1).default([]),
    }),
  ),
});

/** The questions of an ST-VQA file; images are at `file_path`. The test split has no answers. */
export function readStvqa(file: z.infer<typeof stvqaFile>): AnnotatedQuestion[] {
  return file.data.map(({ question_id, file_path, question, answers }) => ({
    id: String(question_id),
    imageNames: [file_path],
    question,
    answers,
  }));
}

/** An ST-VQA task 1 file of drawn questions. */
export function writeStvqa(questions: readonly QuestionToWrite[]): z.input<typeof stvqaFile> & Record<string, unknown> {
  return {
    dataset_name: 'st-vqa',
    dataset_version: '1.0',
    task_name: 'task1 - Strongly Contextualised',
    task_number: 1,
    set_name: 'test',
    data: questions.map((one) => ({
      question_id: questionNumber(one),
      file_path: one.imageName,
      file_name: one.imageName,
      dataset: 'drawn',
      question: one.question,
      answers: [...one.answers],
      set_name: 'test',
    })),
  };
}
