import { relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { score } from '@mpa/answer-metrics';
import type { BenchmarkSample } from '@mpa/benchmarks';
import { create, EvaluationResultSchema } from '@mpa/contracts';
import type { Task } from '@mpa/contracts';
import { imageFault, readImage } from '@mpa/inference';
import type { ComparedModel } from './compared-model.js';
import { questionGroups } from './question-groups.js';
import type { AskedQuestion, KeptResult, ResultLog, SkippedQuestion } from './result-log.js';

/** A model that is compared, and what its kept answers are known by. */
export interface Contestant {
  readonly model: ComparedModel;
  readonly fingerprint: string;
}

/** What is evaluated. */
export interface EvaluationPlan {
  readonly task: Task;
  readonly contestants: readonly Contestant[];
  readonly questions: readonly BenchmarkSample[];
  /** Questions answered together. */
  readonly batch: number;
  /** Folder that image paths are shown relative to. */
  readonly imageRoot: string;
  readonly log: ResultLog;
  /** Told of every question whose image cannot be read. */
  readonly onSkipped: (question: SkippedQuestion) => Promise<void>;
  readonly signal: AbortSignal;
}

/**
 * Has every model answer every question, group by group in turn and taking turns in who is first, so that what else the
 * machine does slows all alike.
 * Answers that the log has are taken from there, scored anew. Yields each model's answer to each question whose image can be
 * read. Throws an AbortError between two groups once the signal aborts.
 */
export async function* evaluate(plan: EvaluationPlan): AsyncGenerator<KeptResult> {
  for (const [i, group] of questionGroups(plan.questions, plan.batch).entries()) {
    const readable = await readableQuestions(group, plan);
    for (const contestant of rotated(plan.contestants, i)) {
      plan.signal.throwIfAborted();
      await answerPending(readable, contestant, plan);
      for (const question of readable) yield rescored(keptAnswer(question, contestant, plan)!, question);
    }
  }
}

function rotated<T>(items: readonly T[], by: number): T[] {
  const first = by % items.length;
  return [...items.slice(first), ...items.slice(0, first)];
}

/** Those that every model has answered before, and those whose image can be decoded now. */
async function readableQuestions(group: readonly BenchmarkSample[], plan: EvaluationPlan): Promise<BenchmarkSample[]> {
  const faults = new Map<string, ReturnType<typeof imageFault>>();
  const readable: BenchmarkSample[] = [];
  for (const question of group) {
    const { imagePath, id } = question;
    const answered = plan.contestants.every((contestant) => keptAnswer(question, contestant, plan) !== undefined);
    if (!answered && !faults.has(imagePath)) faults.set(imagePath, await faultOf(imagePath));
    const fault = faults.get(imagePath);
    if (fault === undefined) readable.push(question);
    else await plan.onSkipped({ questionId: id, image: relative(plan.imageRoot, imagePath), ...fault });
  }
  return readable;
}

async function faultOf(imagePath: string): Promise<ReturnType<typeof imageFault>> {
  try {
    await readImage(imagePath);
    return undefined;
  } catch (error) {
    const fault = imageFault(error);
    if (fault === undefined) throw error;
    return fault;
  }
}

async function answerPending(
  readable: readonly BenchmarkSample[],
  contestant: Contestant,
  plan: EvaluationPlan,
): Promise<void> {
  const pending = readable.filter((question) => keptAnswer(question, contestant, plan) === undefined);
  if (pending.length === 0) return;
  const { model, fingerprint } = contestant;
  const { texts, seconds } = await model.answer(pending);
  const results = pending.map((question, i) => {
    const { metric, answers } = question;
    const prediction = texts[i]!;
    const result = create(EvaluationResultSchema, {
      ...askedOf(question, model.label, plan),
      checkpoint: model.checkpoint,
      prediction,
      answers: [...answers],
      score: score(metric, prediction, answers),
      metric,
      latencyMilliseconds: seconds * 1000,
    });
    return { result, fingerprint, together: pending.length };
  });
  await plan.log.add(results);
}

function keptAnswer(
  question: BenchmarkSample,
  { model, fingerprint }: Contestant,
  plan: EvaluationPlan,
): KeptResult | undefined {
  return plan.log.find(askedOf(question, model.label, plan), fingerprint);
}

function askedOf(
  { id, imagePath, question }: BenchmarkSample,
  model: string,
  { task, imageRoot }: EvaluationPlan,
): AskedQuestion & { readonly image: { readonly uri: string; readonly path: string } } {
  const image = { uri: pathToFileURL(imagePath).href, path: relative(imageRoot, imagePath) };
  return { model, task, questionId: id, question, image };
}

/** The benchmark's answers may have been corrected since. */
function rescored({ result, ...kept }: KeptResult, { metric, answers }: BenchmarkSample): KeptResult {
  const scored = { ...result, answers: [...answers], metric, score: score(metric, result.prediction, answers) };
  return { ...kept, result: scored };
}
