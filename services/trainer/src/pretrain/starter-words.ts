import { drawSample, TASKS } from '@mpa/benchmarks';
import { annotationPrompt } from '@mpa/prompts';

const IMAGES = 400;
const OFTEN = 4;
/** Words of the chat template, of annotations, and of the prompt to transcribe. */
const ALWAYS = ['User', 'Assistant', 'Question', 'Answer', 'Read', 'everything'];

/**
 * Words that become whole tokens of the starter models: those that come back in the drawn world's training questions and in
 * the answers about objects, as they are written there. What is written on signs and charts is spelled.
 * Draws 400 images a task; the same list every time.
 */
export async function starterWords(): Promise<string[]> {
  const counts = new Map<string, number>();
  const count = (text: string): void => {
    for (const [word] of text.matchAll(/[A-Za-z]+/g)) counts.set(word, (counts.get(word) ?? 0) + 1);
  };
  for (const task of TASKS) {
    for (let seed = 0; seed < IMAGES; seed++) {
      const { questions, transcription } = await drawSample(task, 'train', seed);
      for (const { question, answer } of questions) {
        count(question);
        if (task === 'okvqa') count(answer);
      }
      if (task === 'okvqa') count(transcription);
    }
  }
  for (const word of [...ALWAYS, ...TASKS.flatMap((task) => annotationPrompt(task).match(/\w+/g) ?? [])])
    counts.set(word, OFTEN);
  return [...counts]
    .filter(([, times]) => times >= OFTEN)
    .map(([word]) => word)
    .sort();
}
