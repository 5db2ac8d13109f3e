import { ServerInterceptingCall, status, type Metadata, type Server, type ServerInterceptor } from '@grpc/grpc-js';
import type { Implementation } from '@mpa/contracts';
import { z } from 'zod';

/** How much a service takes on at once; a part of its configuration. */
export const callLimits = z
  .strictObject({
    /** Calls with one reply that are in work at once; others wait, and their requests are not read meanwhile. */
    atOnce: z.int().positive().default(16),
    /** Most calls that wait. */
    waiting: z.int().min(0).default(1000),
    /** Most calls that are answered by a stream, at once. */
    streams: z.int().positive().default(64),
    /** Seconds that a request may take to arrive, once it is read. */
    requestSeconds: z.number().positive().default(60),
  })
  .prefault({});

type Handler = Implementation['handlers'][string];
type UnaryHandler = (call: { metadata: Metadata }, callback: (...result: unknown[]) => void) => void;
type StreamHandler = (call: { metadata: Metadata; once(event: 'close', listener: () => void): void }) => void;

/** A call on its way through the gate. */
interface Passage {
  readonly kind: 'unary' | 'stream';
  /** Whether it has gone through, is at its handler, and has left. */
  state: 'outside' | 'waiting' | 'reading' | 'handled' | 'gone';
  /** Lets it through. */
  proceed: () => void;
  timer?: NodeJS.Timeout;
}

/**
 * Bounds what a server holds in memory, however many calls come: so many are in work, others wait unread, and what is beyond gets
 * RESOURCE_EXHAUSTED at once. A call that was cancelled counts until its handler has ended. Also knows when there are no calls, so that a
 * server can stop.
 */
export class CallGate {
  readonly #inWork = { unary: 0, stream: 0 };
  readonly #waiting = new Set<Passage>();
  readonly #passages = new WeakMap<Metadata, Passage>();
  readonly #paths = new Set<string>();
  #idle: (() => void)[] = [];

  /** @param run calls what answers a call */
  constructor(
    private readonly limits: z.output<typeof callLimits>,
    private readonly run: (answer: () => void) => void,
  ) {}

  /** The handlers of `implementation`, whose calls then go through the gate. */
  guard({ definition, handlers }: Pick<Implementation, 'definition' | 'handlers'>): Implementation['handlers'] {
    const guarded = Object.entries(definition).map(([name, { path, originalName, responseStream }]) => {
      this.#paths.add(path);
      const handler = (handlers[name] ?? handlers[originalName!])!;
      return [name, responseStream ? this.#stream(handler) : this.#unary(handler)];
    });
    return Object.fromEntries(guarded) as Implementation['handlers'];
  }

  /** `server`, where what is added by others is guarded. */
  guarding(server: Server): Pick<Server, 'addService'> {
    return {
      addService: (definition, handlers) => {
        const added = { definition, handlers } as unknown as Implementation;
        server.addService(definition, this.guard(added));
      },
    };
  }

  /** Holds calls back, or refuses them, before their requests are read. */
  readonly interceptor: ServerInterceptor = ({ path, responseStream }, call) => {
    if (!this.#paths.has(path)) return new ServerInterceptingCall(call);
    const passage: Passage = { kind: responseStream ? 'stream' : 'unary', state: 'outside', proceed: () => undefined };
    const { requestSeconds } = this.limits;
    const late = { code: status.DEADLINE_EXCEEDED, details: `the request has not come within ${requestSeconds} s` };
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, proceed) => {
            this.#passages.set(metadata, passage);
            passage.proceed = () => {
              passage.timer = setTimeout(() => call.sendStatus(late), requestSeconds * 1000);
              proceed(metadata);
            };
            if (!this.#enter(passage)) call.sendStatus(this.#full(passage.kind));
          },
          onReceiveHalfClose: (proceed) => {
            clearTimeout(passage.timer);
            proceed();
          },
          onCancel: () => {
            clearTimeout(passage.timer);
            if (passage.state !== 'handled') this.#leave(passage);
          },
        }),
    });
  };

  /** Resolves when no call is in work or waits. */
  idle(): Promise<void> {
    return this.#isIdle() ? Promise.resolve() : new Promise((resolve) => this.#idle.push(resolve));
  }

  #isIdle(): boolean {
    return this.#inWork.unary + this.#inWork.stream + this.#waiting.size === 0;
  }

  #enter(passage: Passage): boolean {
    const { atOnce, waiting, streams } = this.limits;
    if (this.#inWork[passage.kind] < (passage.kind === 'unary' ? atOnce : streams)) {
      this.#admit(passage);
      return true;
    }
    if (passage.kind === 'stream' || this.#waiting.size >= waiting) return false;
    passage.state = 'waiting';
    this.#waiting.add(passage);
    return true;
  }

  #admit(passage: Passage): void {
    this.#inWork[passage.kind] += 1;
    passage.state = 'reading';
    passage.proceed();
  }

  #leave(passage: Passage): void {
    const { state, kind } = passage;
    passage.state = 'gone';
    if (state === 'waiting') this.#waiting.delete(passage);
    if (state === 'reading' || state === 'handled') {
      this.#inWork[kind] -= 1;
      const [next] = kind === 'unary' ? this.#waiting : [];
      if (next) {
        this.#waiting.delete(next);
        this.#admit(next);
      }
    }
    if (this.#isIdle()) this.#idle.splice(0).forEach((resolve) => resolve());
  }

  #full(kind: Passage['kind']): { code: status; details: string } {
    const { atOnce, waiting, streams } = this.limits;
    const held = kind === 'stream' ? `${streams} streams` : `${atOnce} calls in work and ${waiting} waiting`;
    return { code: status.RESOURCE_EXHAUSTED, details: `the service has ${held}; try again later` };
  }

  #unary(handler: Handler): Handler {
    const guarded: UnaryHandler = (call, callback) => {
      const passage = this.#handled(call.metadata);
      this.run(() =>
        (handler as unknown as UnaryHandler)(call, (...result) => {
          callback(...result);
          this.#leave(passage);
        }),
      );
    };
    return guarded as unknown as Handler;
  }

  #stream(handler: Handler): Handler {
    const guarded: StreamHandler = (call) => {
      const passage = this.#handled(call.metadata);
      call.once('close', () => this.#leave(passage));
      this.run(() => (handler as unknown as StreamHandler)(call));
    };
    return guarded;
  }

  #handled(metadata: Metadata): Passage {
    const passage = this.#passages.get(metadata)!;
    passage.state = 'handled';
    return passage;
  }
}
