import { Worker } from 'node:worker_threads';
import { modelCalls } from '@mpa/telemetry';
import type { InferenceSession } from 'onnxruntime-node';
import { OnnxError } from './onnx-error.js';

/** A tensor that can be sent to a thread. */
export type TensorValues =
  | { readonly type: 'float32'; readonly data: Float32Array; readonly dims: readonly number[] }
  | { readonly type: 'int32'; readonly data: Int32Array; readonly dims: readonly number[] }
  | { readonly type: 'int64'; readonly data: BigInt64Array; readonly dims: readonly number[] };

/** An output: float32 or int32 here, as the graphs declare. */
export interface OutputValues {
  readonly data: Float32Array | Int32Array;
  readonly dims: readonly number[];
}

export type Feeds = Readonly<Record<string, TensorValues>>;

/** What the thread is asked. */
export type Request =
  | { kind: 'open'; name: string; path: string; options: InferenceSession.SessionOptions }
  | { kind: 'run'; name: string; feeds: Feeds; outputs: string[] }
  | { kind: 'close' };

interface Response {
  readonly id: number;
  readonly result?: Readonly<Record<string, OutputValues>>;
  readonly error?: string;
}

interface Waiting {
  resolve(result: Response['result']): void;
  reject(error: Error): void;
}

/**
 * ONNX Runtime sessions in a thread of their own. onnxruntime-node computes synchronously: on the main thread a batch
 * would hold up everything else, health checks and decoding of the next images included. Requests are done in turn. The
 * process does not wait for an idle thread.
 */
export class SessionThread {
  readonly #state = new Int32Array(new SharedArrayBuffer(8));
  readonly #worker = new Worker(new URL('./session-worker.mjs', import.meta.url), { workerData: this.#state });
  // A thread that is ended inside ONNX Runtime takes the process down with it, exit code and all.
  readonly #beforeExit = (): void => {
    Atomics.store(this.#state, 1, 1);
    Atomics.wait(this.#state, 0, 1);
  };
  readonly #waiting = new Map<number, Waiting>();
  #next = 0;
  /** The first choice of those that the sessions were opened with. */
  #provider = 'cpu';
  #stopped: OnnxError | undefined;

  constructor() {
    this.#worker.unref();
    process.on('exit', this.#beforeExit);
    this.#worker.on('message', ({ id, result, error }: Response) => {
      const waiting = this.#waiting.get(id)!;
      this.#waiting.delete(id);
      if (this.#waiting.size === 0) this.#worker.unref();
      if (error === undefined) waiting.resolve(result);
      else waiting.reject(new OnnxError(`ONNX Runtime: ${error}`));
    });
    this.#worker.on('error', (error) => this.#fail(new OnnxError(`The model's thread failed: ${error.message}`)));
    this.#worker.on('exit', () => this.#fail(new OnnxError('The model was closed.')));
  }

  /** Opens the graph at `path` as session `name`. Throws {@link OnnxError} if ONNX Runtime refuses it. */
  async open(name: string, path: string, options: InferenceSession.SessionOptions): Promise<void> {
    this.#provider = nameOf(options.executionProviders?.[0]);
    const ask = (): Promise<unknown> => this.#ask({ kind: 'open', name, path, options }, []);
    await modelCalls.tracePromise(ask, { kind: 'open', provider: this.#provider });
  }

  /** Runs a session. The buffers of `feeds` are handed over: they must be nobody else's. Throws {@link OnnxError}. */
  async run<O extends string>(name: string, feeds: Feeds, outputs: readonly O[]): Promise<Record<O, OutputValues>> {
    const buffers = Object.values(feeds).map(({ data }) => data.buffer as ArrayBuffer);
    const ask = (): Promise<Response['result']> =>
      this.#ask({ kind: 'run', name, feeds, outputs: [...outputs] }, buffers);
    const result = await modelCalls.tracePromise(ask, { kind: 'run', provider: this.#provider });
    return result as Record<O, OutputValues>;
  }

  /** Frees the sessions and ends the thread. */
  async close(): Promise<void> {
    if (this.#stopped !== undefined) return;
    await this.#ask({ kind: 'close' }, []);
    await this.#worker.terminate();
  }

  #ask(request: Request, transfer: ArrayBuffer[]): Promise<Response['result']> {
    if (this.#stopped !== undefined) return Promise.reject(this.#stopped);
    return new Promise((resolve, reject) => {
      const id = this.#next++;
      this.#waiting.set(id, { resolve, reject });
      this.#worker.ref();
      this.#worker.postMessage({ ...request, id }, transfer);
    });
  }

  #fail(error: OnnxError): void {
    this.#stopped ??= error;
    process.off('exit', this.#beforeExit);
    for (const { reject } of this.#waiting.values()) reject(this.#stopped);
    this.#waiting.clear();
  }
}

function nameOf(provider: InferenceSession.ExecutionProviderConfig = 'cpu'): string {
  return typeof provider === 'string' ? provider : provider.name;
}
