import type { Implementation } from '@mpa/contracts';

type Handler = Implementation['handlers'][string];
type UnaryHandler = (call: unknown, callback: (...result: unknown[]) => void) => void;
type StreamHandler = (call: { once(event: 'close', listener: () => void): void }) => void;

/** Counts the calls that a server is answering, so that it can stop when there are none. */
export class CallsInWork {
  #count = 0;
  #idle: (() => void)[] = [];

  /** @param run calls what answers a call */
  constructor(private readonly run: (answer: () => void) => void) {}

  /** The handlers of `implementation`, counted. */
  count({ definition, handlers }: Implementation): Implementation['handlers'] {
    const counted = Object.entries(handlers).map(([name, handler]) => [
      name,
      definition[name]?.responseStream ? this.#stream(handler) : this.#unary(handler),
    ]);
    return Object.fromEntries(counted) as Implementation['handlers'];
  }

  /** Resolves when no call is in work. */
  idle(): Promise<void> {
    return this.#count === 0 ? Promise.resolve() : new Promise((resolve) => this.#idle.push(resolve));
  }

  #unary(handler: Handler): Handler {
    const counted: UnaryHandler = (call, callback) => {
      this.#count += 1;
      this.run(() =>
        (handler as UnaryHandler)(call, (...result) => {
          callback(...result);
          this.#done();
        }),
      );
    };
    return counted as Handler;
  }

  #stream(handler: Handler): Handler {
    const counted: StreamHandler = (call) => {
      this.#count += 1;
      call.once('close', () => this.#done());
      this.run(() => (handler as unknown as StreamHandler)(call));
    };
    return counted;
  }

  #done(): void {
    this.#count -= 1;
    if (this.#count === 0) this.#idle.splice(0).forEach((resolve) => resolve());
  }
}
