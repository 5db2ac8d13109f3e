import { score } from '@mpa/answer-metrics';
import { loadBenchmark } from '@mpa/benchmarks';
import type { BenchmarkSample } from '@mpa/benchmarks';
import { create, EvaluationResultSchema, EvaluationSummarySchema, taskName } from '@mpa/contracts';
import type { EvaluateRequest, EvaluationResult, EvaluationSummary } from '@mpa/contracts';
import { imageFault, readImage, VisionModel } from '@mpa/inference';
import { answerPrompt } from '@mpa/prompts';
import { localPath } from '@mpa/storage';
import type { RgbImage } from '@mpa/vlm';
import type { EvaluatorConfig } from './evaluator-config.js';
import { openResults } from './results-file.js';
import type { ResultsFile } from './results-file.js';
import { summarize } from './summarize.js';

/** What an evaluation tells while it goes on. */
export type EvaluationEvent =
  | { readonly case: 'result'; readonly value: EvaluationResult }
  | { readonly case: 'summary'; readonly value: EvaluationSummary };

interface Contestant {
  readonly label: string;
  readonly checkpoint: string;
  readonly model: VisionModel;
}

/**
 * Has every model of the request answer the benchmark's questions, one at a time and all models on a question before the
 * next, taking turns in who is first, so that what the machine does besides slows all of them alike.
 * Throws BenchmarkError, CheckpointError, OnnxError, StorageError, or what `signal` was aborted with.
 */
export async function* evaluate(
  request: EvaluateRequest,
  config: EvaluatorConfig,
  signal: AbortSignal,
): AsyncGenerator<EvaluationEvent> {
  const { task, annotations, imageRoot, limit } = request;
  const benchmark = await loadBenchmark(taskName(task), localPath(annotations), localPath(imageRoot));
  const samples = limit > 0 ? benchmark.samples.slice(0, limit) : benchmark.samples;
  const contestants = await open(request, config);
  const done = new Map<string, EvaluationResult[]>(contestants.map(({ label }) => [label, []]));
  let unusable = 0;
  try {
    const results = await openResults(request.results === '' ? undefined : localPath(request.results));
    try {
      await warmUp(contestants, samples, results);
      for (const [i, sample] of samples.entries()) {
        signal.throwIfAborted();
        const image = await imageOrNothing(sample.imagePath);
        if (!image) unusable += 1;
        else
          for (const contestant of rotated(contestants, i)) {
            const known = results.find(contestant.label, contestant.checkpoint, sample.id);
            const value = known ?? (await answer(contestant, sample, image, request));
            if (!known) await results.append(value);
            done.get(contestant.label)!.push(value);
            yield { case: 'result', value };
          }
      }
    } finally {
      await results.close();
    }
  } finally {
    await Promise.all(contestants.map(({ model }) => model.close()));
  }
  for (const [model, of] of done) {
    const common = {
      model,
      task,
      metric: samples[0]?.metric ?? '',
      missingImages: benchmark.missing.length + unusable,
    };
    yield { case: 'summary', value: create(EvaluationSummarySchema, { ...common, ...summarize(of) }) };
  }
}

async function open({ models }: EvaluateRequest, config: EvaluatorConfig): Promise<Contestant[]> {
  const opened: Contestant[] = [];
  try {
    for (const { label, checkpoint } of models) {
      opened.push({
        label,
        checkpoint,
        model: await VisionModel.open({ ...config.model, checkpoint: localPath(checkpoint) }),
      });
    }
    return opened;
  } catch (error) {
    await Promise.all(opened.map(({ model }) => model.close()));
    throw error;
  }
}

/** The first answers are slower: memory is allocated. They are given once before, and not counted. */
async function warmUp(
  contestants: readonly Contestant[],
  samples: readonly BenchmarkSample[],
  results: ResultsFile,
): Promise<void> {
  for (const { label, checkpoint, model } of contestants) {
    const open = samples.find(({ id }) => !results.find(label, checkpoint, id));
    const image = open && (await imageOrNothing(open.imagePath));
    if (image) await ask(model, image, open.question);
  }
}

async function answer(
  { label, checkpoint, model }: Contestant,
  { id, imagePath, question, answers, metric }: BenchmarkSample,
  image: RgbImage,
  { task }: EvaluateRequest,
): Promise<EvaluationResult> {
  const began = performance.now();
  const prediction = await ask(model, image, question);
  const latencyMilliseconds = performance.now() - began;
  return create(EvaluationResultSchema, {
    ...{ model: label, checkpoint, task, questionId: id, question, prediction, metric, latencyMilliseconds },
    image: { uri: imagePath },
    answers: [...answers],
    score: score(metric, prediction, answers),
  });
}

async function ask(model: VisionModel, rgb: RgbImage, question: string): Promise<string> {
  const [image] = await model.look([model.prepare(rgb)]);
  const [said] = await model.answer([{ image: image!, text: answerPrompt(question) }]);
  return said!.text;
}

async function imageOrNothing(path: string): Promise<RgbImage | undefined> {
  try {
    return await readImage(path);
  } catch (error) {
    if (imageFault(error)) return undefined;
    throw error;
  }
}

function rotated<T>(items: readonly T[], by: number): T[] {
  const first = by % Math.max(1, items.length);
  return [...items.slice(first), ...items.slice(0, first)];
}
