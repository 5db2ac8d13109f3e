import { existsSync } from 'node:fs';
import { EvaluationResultSchema, fromJson } from '@mpa/contracts';
import type { EvaluationResult } from '@mpa/contracts';
import { readJsonl } from '@mpa/storage';
import { CliError } from '../cli-error.js';

/** Results of some models on a benchmark, as `mpa evaluate` and `mpa align` keep them. */
export interface KeptResults {
  /** By label; of several answers to one question the last. */
  readonly models: ReadonlyMap<string, readonly EvaluationResult[]>;
  /** Questions whose image was missing or unreadable. */
  readonly skipped: readonly { readonly questionId: string; readonly image: string; readonly reason: string }[];
}

type Line = Record<string, unknown> & { readonly skipped?: KeptResults['skipped'][number] };

/** Reads a file of per-sample results. Throws CliError when there is none or it has another form. */
export async function readResults(file: string): Promise<KeptResults> {
  if (!existsSync(file)) throw new CliError(`there is no ${file}; give a results.jsonl of mpa evaluate, or an evaluation-*.jsonl of a run`); // prettier-ignore
  const models = new Map<string, Map<string, EvaluationResult>>();
  const skipped: KeptResults['skipped'][number][] = [];
  for await (const line of readJsonl<Line>(file)) {
    if (line.skipped) skipped.push(line.skipped);
    else {
      const result = resultOf(line, file);
      const own = models.get(result.model) ?? new Map<string, EvaluationResult>();
      models.set(result.model, own.set(questionKey(result), result));
    }
  }
  if (models.size === 0) throw new CliError(`${file} holds no result`);
  return { models: new Map([...models].map(([label, own]) => [label, [...own.values()]])), skipped };
}

/** What tells a question from the others of its benchmark. */
export function questionKey({ task, questionId, question }: EvaluationResult): string {
  return JSON.stringify([task, questionId, question]);
}

function resultOf(line: Line, file: string): EvaluationResult {
  try {
    return fromJson(EvaluationResultSchema, line as Parameters<typeof fromJson>[1], { ignoreUnknownFields: true });
  } catch (cause) {
    throw new CliError(`${file} is not a file of results: ${(cause as Error).message}`, { cause });
  }
}
