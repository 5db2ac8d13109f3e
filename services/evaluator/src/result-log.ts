import { existsSync } from 'node:fs';
import { EvaluationResultSchema, fromJson, toJson } from '@mpa/contracts';
import type { EvaluationResult } from '@mpa/contracts';
import { openJsonl, readJsonl } from '@mpa/storage';
import type { JsonlFile } from '@mpa/storage';

/** An answer as it is kept: with what tells whether it may be taken again, and what its time was shared with. */
export interface KeptResult {
  readonly result: EvaluationResult;
  /** See `modelFingerprint`. */
  readonly fingerprint: string;
  /** Questions answered together in the result's latency, this one included. */
  readonly together: number;
  /** Why there is no answer; the next evaluation asks again. */
  readonly failed?: string | undefined;
}

/** A question that was not asked, and why. */
export interface SkippedQuestion {
  readonly questionId: string;
  readonly image: string;
  /** A stable name: `missing`, `damaged`, ... */
  readonly reason: string;
  readonly detail: string;
}

type Line = Record<string, unknown> & {
  readonly fingerprint?: string;
  readonly together?: number;
  readonly failed?: string;
};

/**
 * The per-sample results of an evaluation, one JSON object a line: an EvaluationResult in protobuf's JSON with `fingerprint`,
 * `together` and, of one that failed, `failed`; or `{"skipped": ...}`. Kept in memory alone without a file.
 */
export class ResultLog {
  readonly #kept = new Map<string, KeptResult>();
  readonly #skipped = new Set<string>();

  private constructor(private readonly file: JsonlFile | undefined) {}

  /** Opens the log with what an earlier evaluation, killed or not, left in it. Throws StorageError. */
  static async open(path: string | undefined): Promise<ResultLog> {
    if (path === undefined) return new ResultLog(undefined);
    const lines: Line[] = [];
    if (existsSync(path)) for await (const line of readJsonl<Line>(path)) lines.push(line);
    const log = new ResultLog(await openJsonl(path));
    for (const line of lines) log.#restore(line);
    return log;
  }

  #restore({ fingerprint, together, skipped, failed, ...json }: Line): void {
    if (skipped !== undefined) {
      this.#skipped.add(skipKey(skipped as SkippedQuestion));
    } else if (failed === undefined && fingerprint !== undefined && together !== undefined) {
      const result = fromJson(EvaluationResultSchema, json as Parameters<typeof fromJson>[1], {
        ignoreUnknownFields: true,
      });
      this.#kept.set(resultKey(result, fingerprint), { result, fingerprint, together });
    }
  }

  /** The kept answer of the same model to the same question on the same image. */
  find(asked: AskedQuestion, fingerprint: string): KeptResult | undefined {
    return this.#kept.get(resultKey(asked, fingerprint));
  }

  /** Keeps the answers of a group, all in one write. */
  async add(results: readonly KeptResult[]): Promise<void> {
    for (const kept of results) this.#kept.set(resultKey(kept.result, kept.fingerprint), kept);
    await this.file?.append(
      ...results.map(({ result, fingerprint, together, failed }) => ({
        ...(toJson(EvaluationResultSchema, result, { alwaysEmitImplicit: true }) as object),
        fingerprint,
        together,
        ...(failed !== undefined && { failed }),
      })),
    );
  }

  /** Keeps the name of a question that was not asked, once. */
  async skip(question: SkippedQuestion): Promise<void> {
    const key = skipKey(question);
    if (this.#skipped.has(key)) return;
    this.#skipped.add(key);
    await this.file?.append({ skipped: question });
  }

  /** Waits until all is written. */
  async close(): Promise<void> {
    await this.file?.close();
  }
}

/** What tells one question to one model from another. */
export type AskedQuestion = Pick<EvaluationResult, 'model' | 'task' | 'questionId' | 'question'> & {
  readonly image?: Pick<NonNullable<EvaluationResult['image']>, 'uri'>;
};

function resultKey({ model, task, questionId, image, question }: AskedQuestion, fingerprint: string): string {
  return JSON.stringify([model, task, questionId, image?.uri, question, fingerprint]);
}

function skipKey({ questionId, image }: SkippedQuestion): string {
  return JSON.stringify([questionId, image]);
}
