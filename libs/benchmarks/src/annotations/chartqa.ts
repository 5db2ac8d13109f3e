import { z } from 'zod';
import { inFolders, type AnnotatedQuestion, type QuestionToWrite } from './annotated-question.js';

/** ChartQA (`test_human.json`, github.com/vis-nlp/ChartQA): the fields that are read; others are allowed. */
export const chartqaFile = z.array(
  z.object({
    imgname: z.string().min(1),
    query: z.string().min(1),
    label: z.union([z.string(), z.number()]),
    question_id: z.union([z.number(), z.string()]).optional(),
  }),
);

/** The questions of a ChartQA file, numbered from 0 where it does not number them; images are named by `imgname`. */
export function readChartqa(file: z.infer<typeof chartqaFile>): AnnotatedQuestion[] {
  return file.map(({ imgname, query, label, question_id }, index) => ({
    id: String(question_id ?? index),
    imageNames: inFolders([imgname], 'png'),
    question: query,
    answers: [String(label)],
  }));
}

/** A ChartQA file of drawn questions. */
export function writeChartqa(questions: readonly QuestionToWrite[]): z.input<typeof chartqaFile> {
  return questions.map((one) => ({ imgname: one.imageName, query: one.question, label: one.answer }));
}
