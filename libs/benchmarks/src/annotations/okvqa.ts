import { z } from 'zod';
import {
  inFolders,
  namesOfImage,
  questionNumber,
  type AnnotatedQuestion,
  type QuestionToWrite,
} from './annotated-question.js';

const id = z.union([z.number(), z.string()]);

/** Answers to OK-VQA's questions (`mscoco_val2014_annotations.json`, okvqa.allenai.org): the fields that are read. */
export const okvqaAnnotationsFile = z.object({
  data_subtype: z.string().min(1),
  annotations: z.array(
    z.object({ image_id: id, question_id: id, answers: z.array(z.object({ answer: z.string() })).min(1) }),
  ),
});

/** OK-VQA's questions (`OpenEnded_mscoco_val2014_questions.json`): the fields that are read. */
export const okvqaQuestionsFile = z.object({
  questions: z.array(z.object({ image_id: id, question_id: id, question: z.string().min(1) })),
});

/** Questions and answers of OK-VQA in one list, as several projects keep them (`okvqa_val_combine.json`). */
export const okvqaCombinedFile = z.array(
  z.object({ image_id: id, question_id: id, question: z.string().min(1), answers: z.array(z.string()).min(1) }),
);

/** The training questions of OK-VQA with the questions of an image together (`okvqa_train_unique_combine.json`). */
export const okvqaNestedFile = z.array(
  z.object({
    image_id: id,
    qas: z.array(z.object({ question_id: id, question: z.string().min(1), answers: z.array(z.string()).min(1) })),
  }),
);

/** The combined form of a nested one. */
export function flatOkvqa(file: z.infer<typeof okvqaNestedFile>): z.infer<typeof okvqaCombinedFile> {
  return file.flatMap(({ image_id, qas }) => qas.map((qa) => ({ image_id, ...qa })));
}

/** The name of the questions file that belongs to an annotations file. */
export function okvqaQuestionsName({ data_subtype }: z.infer<typeof okvqaAnnotationsFile>): string {
  return `OpenEnded_mscoco_${data_subtype}_questions.json`;
}

/** OK-VQA's questions with their answers; images are named as in COCO. Questions without answers are left out. */
export function readOkvqa(
  annotations: z.infer<typeof okvqaAnnotationsFile>,
  { questions }: z.infer<typeof okvqaQuestionsFile>,
): AnnotatedQuestion[] {
  const answersOf = new Map(annotations.annotations.map((one) => [String(one.question_id), one.answers]));
  return questions.flatMap(({ image_id, question_id, question }) => {
    const answers = answersOf.get(String(question_id));
    if (!answers) return [];
    return [
      {
        id: String(question_id),
        imageNames: inFolders(namesOfImage(cocoStem(annotations.data_subtype, image_id)), annotations.data_subtype),
        question,
        answers: answers.map(({ answer }) => answer),
      },
    ];
  });
}

/** The questions of a combined OK-VQA file; images are COCO's of 2014, validation or training. */
export function readOkvqaCombined(file: z.infer<typeof okvqaCombinedFile>): AnnotatedQuestion[] {
  return file.map(({ image_id, question_id, question, answers }) => ({
    id: String(question_id),
    imageNames: ['val2014', 'train2014'].flatMap((subtype) =>
      inFolders(namesOfImage(cocoStem(subtype, image_id)), subtype),
    ),
    question,
    answers,
  }));
}

/** COCO's name of an image, without extension. */
export function cocoStem(subtype: string, image: number | string): string {
  return `COCO_${subtype}_${String(image).padStart(12, '0')}`;
}

/** The two files of OK-VQA for drawn questions. */
export function writeOkvqa(questions: readonly QuestionToWrite[]): {
  annotations: z.input<typeof okvqaAnnotationsFile> & Record<string, unknown>;
  questions: z.input<typeof okvqaQuestionsFile> & Record<string, unknown>;
} {
  const head = {
    info: { description: 'Drawn images in the schema of OK-VQA', version: '1.0' },
    data_type: 'mscoco',
    data_subtype: 'val2014',
  };
  return {
    questions: {
      ...head,
      task_type: 'Open-Ended',
      questions: questions.map((one) => ({
        image_id: one.image,
        question_id: questionNumber(one),
        question: one.question,
      })),
    },
    annotations: {
      ...head,
      annotations: questions.map((one) => ({
        image_id: one.image,
        question_id: questionNumber(one),
        question_type: 'other',
        answer_type: 'other',
        confidence: 3,
        answers: one.answers.map((answer, i) => ({
          answer_id: i + 1,
          raw_answer: answer,
          answer,
          answer_confidence: 'yes',
        })),
      })),
    },
  };
}
