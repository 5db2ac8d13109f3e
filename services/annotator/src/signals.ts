import { amongThese, perCharacter } from '@mpa/alignment';
import { matches } from '@mpa/answer-metrics';
import type { Task } from '@mpa/answer-metrics';
import type { MessageInitShape, Signals, SignalsSchema } from '@mpa/contracts';
import type { Answer, Examined, SeenImage, VisionModel } from '@mpa/inference';
import { answerPrompt, rationalePrompt, splitRationale } from '@mpa/prompts';
import type { AnnotatorConfig } from './annotator-config.js';

/** A question that the L-VLM wrote, and its answer. */
export interface AskedQuestion {
  readonly task: Task;
  readonly image: SeenImage;
  readonly question: string;
  readonly answer: string;
}

type SignalFields = Exclude<MessageInitShape<typeof SignalsSchema>, Signals>;

/** What the L-VLM makes of one of its answers. */
export interface AnswerSignals {
  readonly signals: SignalFields;
  readonly answerLogProbability?: number;
}

/** Seconds in the model by kind of signal, of the whole batch. */
export type SignalSeconds = Record<string, number>;

/** Measures, in one batch, what the configuration asks for: confidence, attention, n-best answers, rationale. */
export async function signalsOf(
  model: VisionModel,
  asked: readonly AskedQuestion[],
  { signals: wanted, seed }: Pick<AnnotatorConfig, 'signals' | 'seed'>,
): Promise<{ readonly found: AnswerSignals[]; readonly seconds: SignalSeconds }> {
  const seconds: SignalSeconds = {};
  const timed = async <T>(kind: string, isWanted: unknown, work: () => Promise<T[]>): Promise<T[]> => {
    if (isWanted === false || asked.length === 0) return [];
    const began = performance.now();
    const result = await work();
    seconds[kind] = (performance.now() - began) / 1000;
    return result;
  };
  const questions = asked.map(({ image, question, answer }) => ({ image, text: answerPrompt(question), answer }));
  const { confidence, attention, nBest, rationale } = wanted;
  const grid = attention === false ? undefined : attention.grid;
  const scored = await timed('score', confidence || nBest !== false || attention !== false, () =>
    model.examine(questions.map((question) => ({ ...question, grid }))),
  );
  const drawn = await timed('n_best', nBest, () =>
    model.sample(questions, { answers: 1, temperature: 1, ...nBest, seed }),
  );
  const paths = await timed('rationale', rationale, () => explain(model, asked, rationale));
  const found = asked.map((question, i): AnswerSignals => {
    const { logProbability } = scored[i] ?? {};
    return {
      signals: {
        ...(confidence && { answerLogProbabilityPerCharacter: perCharacter(logProbability!, question.answer) }),
        ...(grid !== undefined && { attention: attentionOf(scored[i]!, grid) }),
        ...(drawn[i] && { nBest: ranked(question, [{ text: question.answer, logProbability: logProbability! }, ...drawn[i]]) }), // prettier-ignore
        ...paths[i],
      },
      ...(confidence && { answerLogProbability: logProbability! }),
    };
  });
  return { found, seconds };
}

function attentionOf({ attention }: Examined, grid: number): { grid: number; cells: number[] } {
  return { grid, cells: [...attention!] };
}

/** The likeliest wording of each answer that the task's rule tells from the others, likeliest first. */
function ranked(
  { task }: AskedQuestion,
  answers: readonly Answer[],
): { text: string; logProbability: number; probability: number }[] {
  const different: Answer[] = [];
  for (const answer of answers.toSorted((a, b) => b.logProbability - a.logProbability)) {
    if (answer.text !== '' && !different.some(({ text }) => matches(task, text, answer.text))) different.push(answer);
  }
  const probabilities = amongThese(different.map(({ logProbability }) => logProbability));
  return different.map((answer, i) => ({ ...answer, probability: probabilities[i]! }));
}

type Rationale = AnnotatorConfig['signals']['rationale'];

async function explain(
  model: VisionModel,
  asked: readonly AskedQuestion[],
  options: Rationale,
): Promise<Pick<SignalFields, 'rationale' | 'rationalePrompt'>[]> {
  const { prompt, stepBreak } = options === false ? {} : options;
  const told = asked.map(({ image, question }) => ({ image, text: rationalePrompt(question, prompt) }));
  const texts = await model.answer(told);
  const explained = told.map((question, i) => ({ ...question, steps: splitRationale(texts[i]!.text, stepBreak) }));
  const withSteps = explained.filter(({ steps }) => steps.length > 0);
  const scores = withSteps.length === 0 ? [] : await model.scoreSteps(withSteps);
  return explained.map((each) => {
    const at = withSteps.indexOf(each);
    if (at < 0) return {};
    const rationale = each.steps.map((text, i) => ({ text, logProbability: scores[at]![i]! }));
    return { rationale, rationalePrompt: each.text };
  });
}
