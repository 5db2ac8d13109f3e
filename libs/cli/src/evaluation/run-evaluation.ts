import { createClient, EvaluatorService, taskOf } from '@mpa/contracts';
import type { EvaluationResult, EvaluationSummary } from '@mpa/contracts';
import { evaluator } from '@mpa/evaluator';
import type { Task } from '@mpa/answer-metrics';
import { createLogger, newToken, startInProcess } from '@mpa/service-kit';
import type { z } from 'zod';
import type { CommandContext } from '../command-context.js';
import type { Progress } from '../progress/progress.js';

/** What {@link runEvaluation} needs. */
export interface EvaluationOptions {
  readonly task: Task;
  readonly annotations: string;
  readonly imageRoot: string;
  /** By label: checkpoint folders, or `URL#MODEL`. */
  readonly models: ReadonlyMap<string, string>;
  /** Most questions; 0 for all. */
  readonly limit: number;
  /** JSONL file of the per-sample results; answers that are there are not given again. */
  readonly results: string;
  /** Environment variables, for keys of endpoints. */
  readonly env: CommandContext['env'];
  /** Settings of the evaluator. */
  readonly settings: z.input<typeof evaluator.config>;
  /** Questions that will be asked. */
  readonly questions: number;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** What every model answered, and its summary, by label. */
export type Evaluated = ReadonlyMap<
  string,
  { readonly results: readonly EvaluationResult[]; readonly summary: EvaluationSummary }
>;

/** Has an evaluator in this process, over gRPC, ask every model. Throws what the service throws, and the signal's reason. */
export async function runEvaluation(options: EvaluationOptions): Promise<Evaluated> {
  const { task, annotations, imageRoot, models, limit, results, settings, questions, progress, signal, env } = options;
  const token = newToken();
  const logger = createLogger('evaluator', 'silent');
  const service = await startInProcess(evaluator, settings, { logger, env, token });
  const client = createClient(EvaluatorService, service.address, { token: () => token });
  const answers = new Map<string, EvaluationResult[]>([...models.keys()].map((label) => [label, []]));
  const evaluated = new Map<string, { results: EvaluationResult[]; summary: EvaluationSummary }>();
  try {
    const compared = [...models].map(([label, checkpoint]) => ({ label, checkpoint }));
    const request = { models: compared, task: taskOf(task), annotations, imageRoot, limit, results };
    const stage = progress.stage(`evaluate ${task}`, questions * models.size);
    let done = 0;
    for await (const { event } of client.evaluate(request, { signal })) {
      if (event.case === 'result') {
        answers.get(event.value.model)!.push(event.value);
        stage.update(++done);
      } else if (event.case === 'summary') {
        const { model } = event.value;
        evaluated.set(model, { results: answers.get(model)!, summary: event.value });
      }
    }
    signal.throwIfAborted();
    stage.resize(done);
    stage.end();
    return evaluated;
  } finally {
    client.close();
    await service.stop();
  }
}
