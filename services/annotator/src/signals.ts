import { amongThese, perCharacter } from '@mpa/alignment';
import { matches } from '@mpa/answer-metrics';
import type { Task } from '@mpa/answer-metrics';
import type { MessageInitShape, Signals, SignalsSchema } from '@mpa/contracts';
import { imageFault } from '@mpa/inference';
import type { SignalKind, Teacher, TeacherAnswer } from '@mpa/inference';
import { answerPrompt, rationalePrompt, splitRationale } from '@mpa/prompts';
import type { AnnotatorConfig } from './annotator-config.js';

/** A question that the L-VLM wrote, its answer, and what it said when it was asked afresh. */
export interface AskedQuestion<Seen> {
  readonly task: Task;
  readonly image: Seen;
  readonly question: string;
  readonly answer: string;
  readonly said: TeacherAnswer;
}

type SignalFields = Exclude<MessageInitShape<typeof SignalsSchema>, Signals>;

/** What the L-VLM makes of one of its answers. */
export interface AnswerSignals {
  readonly signals: SignalFields;
  readonly answerLogProbability?: number;
  /** Signals that were asked for and are not there. */
  readonly missingSignals: SignalKind[];
}

/** Seconds in the model by kind of signal, of the whole batch. */
export type SignalSeconds = Record<string, number>;

/** The signals that a configuration asks for. */
export function wantedSignals({ confidence, attention, nBest, rationale }: AnnotatorConfig['signals']): SignalKind[] {
  const wanted = {
    confidence,
    attention: attention !== false,
    n_best: nBest !== false,
    rationale: rationale !== false,
  };
  return (Object.keys(wanted) as SignalKind[]).filter((kind) => wanted[kind]);
}

/**
 * Measures, in one batch, what the configuration asks for and the model can give: confidence, attention, n-best answers, rationale.
 * What it cannot give is left out, and named.
 */
export async function signalsOf<Prepared, Seen>(
  model: Teacher<Prepared, Seen>,
  asked: readonly AskedQuestion<Seen>[],
  { signals, seed }: Pick<AnnotatorConfig, 'signals' | 'seed'>,
  signal: AbortSignal,
): Promise<{ readonly found: AnswerSignals[]; readonly seconds: SignalSeconds }> {
  const seconds: SignalSeconds = {};
  const wanted = wantedSignals(signals);
  const { attention, nBest, rationale } = signals;
  const timed = async <T>(name: string, kinds: readonly SignalKind[], work: () => Promise<T[]>): Promise<T[]> => {
    if (asked.length === 0 || !kinds.some((kind) => wanted.includes(kind) && model.gives.has(kind))) return [];
    const began = performance.now();
    const result = await unlessFaulty(work);
    seconds[name] = (performance.now() - began) / 1000;
    return result;
  };
  const grid = attention === false ? undefined : attention.grid;
  const questions = asked.map((one) => ({ ...one, text: answerPrompt(one.question), grid }));
  const scored = await timed('score', ['confidence', 'attention', 'n_best'], () => model.examine(questions));
  const drawn = await timed('n_best', ['n_best'], () =>
    model.sample(questions, { answers: 1, temperature: 1, ...nBest, seed }, { purpose: 'n_best', signal }),
  );
  const paths = await timed('rationale', ['rationale'], () => explain(model, asked, rationale, signal));
  const found = asked.map((question, i): AnswerSignals => {
    const { logProbability, attention: cells } = scored[i] ?? {};
    const nBest = drawn[i] ? ranked(question, [{ text: question.answer, logProbability }, ...drawn[i]]) : [];
    const confidence = signals.confidence ? logProbability : undefined;
    const given = {
      confidence: confidence !== undefined,
      attention: cells !== undefined,
      n_best: nBest.length > 0,
      rationale: paths[i]?.rationale !== undefined,
    };
    return {
      signals: {
        ...(confidence !== undefined && {
          answerLogProbabilityPerCharacter: perCharacter(confidence, question.answer),
        }),
        ...(cells && { attention: { grid: grid!, cells: [...cells] } }),
        ...(given.n_best && { nBest }),
        ...paths[i],
      },
      ...(confidence !== undefined && { answerLogProbability: confidence }),
      missingSignals: wanted.filter((kind) => !given[kind]),
    };
  });
  return { found, seconds };
}

/** An endpoint may fail at one signal of one image; the annotation stands without it. */
async function unlessFaulty<T>(work: () => Promise<T[]>): Promise<T[]> {
  try {
    return await work();
  } catch (error) {
    if (!imageFault(error)) throw error;
    return [];
  }
}

interface Likely {
  readonly text: string;
  readonly logProbability: number;
}

/** The likeliest wording of each answer that the task's rule tells from the others, likeliest first. */
function ranked<Seen>(
  { task }: AskedQuestion<Seen>,
  answers: readonly TeacherAnswer[],
): (Likely & { probability: number })[] {
  const known = answers.flatMap(({ text, logProbability }): Likely[] =>
    logProbability === undefined || text === '' ? [] : [{ text, logProbability }],
  );
  const different: Likely[] = [];
  for (const answer of known.toSorted((a, b) => b.logProbability - a.logProbability)) {
    if (!different.some(({ text }) => matches(task, text, answer.text))) different.push(answer);
  }
  const probabilities = amongThese(different.map(({ logProbability }) => logProbability));
  return different.map((answer, i) => ({ ...answer, probability: probabilities[i]! }));
}

type Rationale = AnnotatorConfig['signals']['rationale'];

async function explain<Prepared, Seen>(
  model: Teacher<Prepared, Seen>,
  asked: readonly AskedQuestion<Seen>[],
  options: Rationale,
  signal: AbortSignal,
): Promise<Pick<SignalFields, 'rationale' | 'rationalePrompt'>[]> {
  const { prompt, stepBreak } = options === false ? {} : options;
  const told = asked.map(({ image, question }) => ({ image, text: rationalePrompt(question, prompt) }));
  const answers = await model.answer(told, { purpose: 'rationale', signal });
  const explained = told.map((question, i) => {
    const said = answers[i]!;
    return { ...question, said, steps: splitRationale(said.text, stepBreak) };
  });
  const withSteps = explained.filter(({ steps }) => steps.length > 0);
  const scores = withSteps.length === 0 ? [] : await model.scoreSteps(withSteps);
  return explained.map((each) => {
    const sums = scores[withSteps.indexOf(each)];
    if (!sums) return {};
    const rationale = each.steps.map((text, i) => ({ text, logProbability: sums[i]! }));
    return { rationale, rationalePrompt: each.text };
  });
}
