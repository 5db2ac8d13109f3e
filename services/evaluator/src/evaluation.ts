import { relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { score } from '@mpa/answer-metrics';
import type { BenchmarkSample } from '@mpa/benchmarks';
import { create, EvaluationResultSchema } from '@mpa/contracts';
import type { EvaluationResult, Task } from '@mpa/contracts';
import { imageFault, readImage } from '@mpa/inference';
import type { ImageFault } from '@mpa/inference';
import type { ImageStore } from '@mpa/storage';
import type { RgbImage } from '@mpa/vlm';
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
  /** Where they are read. */
  readonly images: ImageStore;
  readonly log: ResultLog;
  /** Told of every question whose image cannot be read. */
  readonly onSkipped: (question: SkippedQuestion) => Promise<void>;
  /** Told how many questions a model has answered anew. */
  readonly onAnswered: (questions: number) => void;
  readonly signal: AbortSignal;
}

/** A group of questions with their images. */
interface ReadGroup {
  /** Those that every model has answered before, and those whose image can be decoded. */
  readonly questions: readonly BenchmarkSample[];
  /** By path; those of questions that every model has answered before are left out. */
  readonly images: ReadonlyMap<string, RgbImage>;
}

/**
 * Has every model answer every question, group by group in turn and taking turns in who is first, so that what else the
 * machine does slows all alike. The images of the next group are decoded meanwhile.
 * Answers that the log has are taken from there, scored anew. Yields each model's answer to each question whose image can be
 * read. Throws an AbortError between two groups once the signal aborts.
 */
export async function* evaluate(plan: EvaluationPlan): AsyncGenerator<KeptResult> {
  const groups = questionGroups(plan.questions, plan.batch);
  let next = readAhead(groups[0], plan);
  for (const i of groups.keys()) {
    const group = await next;
    next = readAhead(groups[i + 1], plan);
    for (const contestant of rotated(plan.contestants, i)) {
      plan.signal.throwIfAborted();
      await answerPending(group, contestant, plan);
      for (const question of group.questions) yield rescored(keptAnswer(question, contestant, plan)!, question);
    }
  }
}

function readAhead(group: readonly BenchmarkSample[] = [], plan: EvaluationPlan): Promise<ReadGroup> {
  const reading = readGroup(group, plan);
  // It may fail before it is waited for.
  reading.catch(() => undefined);
  return reading;
}

function rotated<T>(items: readonly T[], by: number): T[] {
  const first = by % items.length;
  return [...items.slice(first), ...items.slice(0, first)];
}

/** Decodes the images of a group, each once, and tells of the questions that fall away with one that cannot be. */
async function readGroup(group: readonly BenchmarkSample[], plan: EvaluationPlan): Promise<ReadGroup> {
  const isAnswered = (question: BenchmarkSample): boolean =>
    plan.contestants.every((contestant) => keptAnswer(question, contestant, plan) !== undefined);
  const paths = [...new Set(group.filter((question) => !isAnswered(question)).map(({ imagePath }) => imagePath))];
  const decoded = await Promise.all(paths.map(async (path) => [path, await decodeOrFault(path, plan.images)] as const));
  const images = new Map(decoded.flatMap(([path, image]) => ('reason' in image ? [] : [[path, image]])));
  const faults = new Map(decoded.flatMap(([path, image]) => ('reason' in image ? [[path, image]] : [])));
  for (const { id, imagePath } of group) {
    const fault = faults.get(imagePath);
    if (fault) await plan.onSkipped({ questionId: id, image: relative(plan.imageRoot, imagePath), ...fault });
  }
  return { questions: group.filter(({ imagePath }) => !faults.has(imagePath)), images };
}

async function decodeOrFault(imagePath: string, images: ImageStore): Promise<RgbImage | ImageFault> {
  try {
    return await readImage(imagePath, { images });
  } catch (error) {
    const fault = imageFault(error);
    if (fault === undefined) throw error;
    return fault;
  }
}

async function answerPending(
  { questions, images }: ReadGroup,
  contestant: Contestant,
  plan: EvaluationPlan,
): Promise<void> {
  const pending = questions.filter((question) => keptAnswer(question, contestant, plan) === undefined);
  if (pending.length === 0) return;
  const { model, fingerprint } = contestant;
  const { answers, seconds } = await model.answer(pending, images, plan.signal);
  const results = pending.map((question, i) => {
    const { text: prediction, failed } = answers[i]!;
    const result = create(EvaluationResultSchema, {
      ...askedOf(question, model.label, plan),
      checkpoint: model.checkpoint,
      prediction,
      ...scored(prediction, question),
      latencyMilliseconds: seconds * 1000,
    });
    return { result, fingerprint, together: pending.length, failed };
  });
  plan.onAnswered(results.length);
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
function rescored({ result, ...kept }: KeptResult, question: BenchmarkSample): KeptResult {
  return { ...kept, result: { ...result, ...scored(result.prediction, question) } };
}

/** A question whose answers are not published has neither score nor metric. */
function scored(
  prediction: string,
  { metric, answers, subset = '' }: BenchmarkSample,
): Pick<EvaluationResult, 'answers' | 'metric' | 'score' | 'subset'> {
  const known = answers.length > 0;
  return {
    answers: [...answers],
    metric: known ? metric : '',
    score: known ? score(metric, prediction, answers) : 0,
    subset,
  };
}
