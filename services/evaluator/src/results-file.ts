import { EvaluationResultSchema, fromJson, toJson } from '@mpa/contracts';
import type { EvaluationResult } from '@mpa/contracts';
import { openJsonl, readJsonl, StorageError } from '@mpa/storage';

/** Results by model and question, kept as JSON lines so that a killed evaluation goes on where it was. */
export interface ResultsFile {
  /** The answer that a model's checkpoint gave before. */
  find(model: string, checkpoint: string, questionId: string): EvaluationResult | undefined;
  append(result: EvaluationResult): Promise<void>;
  close(): Promise<void>;
}

type Line = Parameters<typeof fromJson<typeof EvaluationResultSchema>>[1];

/** Opens or makes the file at `path`; without one, nothing is kept. Throws StorageError. */
export async function openResults(path: string | undefined): Promise<ResultsFile> {
  const known = new Map<string, EvaluationResult>();
  if (path === undefined)
    return { find: () => undefined, append: () => Promise.resolve(), close: () => Promise.resolve() };
  try {
    for await (const line of readJsonl<Line>(path)) {
      const result = fromJson(EvaluationResultSchema, line);
      known.set(keyOf(result.model, result.checkpoint, result.questionId), result);
    }
  } catch (error) {
    if (!(error instanceof StorageError && error.code === 'not-found')) throw error;
  }
  const file = await openJsonl(path);
  return {
    find: (...key) => known.get(keyOf(...key)),
    append: (result) => file.append(toJson(EvaluationResultSchema, result)),
    close: () => file.close(),
  };
}

function keyOf(model: string, checkpoint: string, questionId: string): string {
  return JSON.stringify([model, checkpoint, questionId]);
}
