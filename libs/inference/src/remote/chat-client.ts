import { setTimeout as pause } from 'node:timers/promises';
import { TeacherError, TeacherFault } from '../teacher.js';
import type { AdaptiveLimit } from './adaptive-limit.js';
import type { Budget } from './budget.js';
import type { ChatReply } from './chat-reply.js';
import type { EndpointConfig } from './endpoint-config.js';
import { sendOnce, type Destination, type Failure, type Sent } from './send-once.js';
import { NO_USAGE, type Usage } from './usage.js';

/** Requests refused, without one that was ever answered, after which it is not the images' fault. */
const REFUSED_AT_FIRST = 16;

/** What one question to the endpoint came to: its reply, or the error that is to be thrown. */
export type Asked = { readonly usage: Usage } & ({ readonly reply: ChatReply } | { readonly error: Error });

/** The same of a question that is no image's: a failure is told as it is. */
export type AskedSmall = { readonly usage: Usage } & (Sent | { readonly error: Error });

/** What a client works with. */
export interface ClientParts {
  readonly destination: Destination;
  readonly traffic: EndpointConfig['traffic'];
  readonly limit: AdaptiveLimit;
  readonly budget: Budget;
  /** Whether the endpoint has answered about an image before, in this run. */
  readonly hasAnswered: boolean;
  /** Draws a number in [0, 1). */
  readonly random: () => number;
  /** Aborts when the client is not needed any more. */
  readonly ended: AbortSignal;
}

/**
 * Asks an endpoint, again where that may help, as many questions at once as it bears and as the budget allows. Where one fails
 * for good, a small request that is known to be taken (`check`) tells why: answered, it is the image's fault (TeacherFault);
 * unanswered, nothing works any more (TeacherError), and every later question fails at once.
 */
export class ChatClient {
  #over: TeacherError | undefined;
  #checking: Promise<void> | undefined;
  #hasAnswered: boolean;
  #refused = 0;

  constructor(
    private readonly parts: ClientParts,
    private readonly check: () => Promise<void>,
  ) {
    this.#hasAnswered = parts.hasAnswered;
  }

  /** Asks about an image until there is a reply or an error; what was used is told in either case. */
  async ask(body: string, signal: AbortSignal): Promise<Asked> {
    let usage = NO_USAGE;
    const count = (sent: Sent): void => void (usage = counted(usage, sent));
    try {
      for (;;) {
        const sent = await this.#send(body, signal, count);
        if ('reply' in sent) {
          this.#hasAnswered = true;
          return { reply: sent.reply, usage };
        }
        await this.#blame(sent.failure);
      }
    } catch (error) {
      if (error instanceof TeacherError) this.#over ??= error;
      return { error: error as Error, usage };
    }
  }

  /** Asks something that is no image's. */
  async askSmall(body: string): Promise<AskedSmall> {
    let usage = NO_USAGE;
    try {
      const sent = await this.#send(body, this.parts.ended, (one) => void (usage = counted(usage, one)));
      return { ...sent, usage };
    } catch (error) {
      return { error: error as Error, usage };
    }
  }

  /** Sends a request until there is a reply, or another attempt is of no use or one too many. Throws TeacherError. */
  async #send(body: string, signal: AbortSignal, count: (sent: Sent) => void): Promise<Sent> {
    const { traffic, random } = this.parts;
    for (let attempt = 1; ; attempt++) {
      const sent = await this.#sendOne(body, signal, count);
      if ('reply' in sent) return sent;
      const { kind, retryAfter = 0 } = sent.failure;
      if ((kind !== 'busy' && kind !== 'failed') || attempt >= traffic.attempts) return sent;
      const most = Math.min(traffic.longestPause, traffic.pause * 2 ** (attempt - 1));
      await pause(1000 * Math.max(retryAfter, random() * most), undefined, { signal });
    }
  }

  async #sendOne(body: string, signal: AbortSignal, count: (sent: Sent) => void): Promise<Sent> {
    const { destination, traffic, limit, budget } = this.parts;
    const leave = await limit.enter(signal);
    const began = performance.now();
    let sent: Sent | undefined;
    try {
      if (this.#over) throw this.#over;
      const spend = budget.take();
      try {
        sent = await sendOnce(destination, body, signal);
      } finally {
        const ended: Sent = sent ?? { failure: { kind: 'failed', detail: 'aborted' } };
        count(ended);
        spend(counted(NO_USAGE, ended));
      }
      if ('reply' in sent) return sent;
      const { kind, retryAfter = 0 } = sent.failure;
      if (retryAfter > traffic.longestPause) throw this.#gone(sent.failure, ` and asks to wait ${retryAfter} s`);
      if (kind === 'busy' && retryAfter > 0) limit.hold(retryAfter);
      return sent;
    } finally {
      leave(endOf(sent, (performance.now() - began) / 1000));
    }
  }

  /** Returns where the question may be asked again. Throws TeacherFault or TeacherError where not. */
  async #blame({ kind, detail, unusable }: Failure): Promise<void> {
    if (kind === 'filtered') throw new TeacherFault('content-filter', detail);
    await (this.#checking ??= this.check().finally(() => (this.#checking = undefined)));
    if (kind === 'busy') return;
    if (kind === 'failed') throw new TeacherFault(unusable ? 'unusable-reply' : 'teacher-failed', detail);
    if (!this.#hasAnswered && ++this.#refused >= REFUSED_AT_FIRST) {
      throw this.#gone({ detail }, ` whatever the image (${REFUSED_AT_FIRST} tried)`);
    }
    throw new TeacherFault('teacher-refused', detail);
  }

  #gone({ detail }: Pick<Failure, 'detail'>, how: string): TeacherError {
    return new TeacherError('unavailable', `the teacher at ${this.parts.destination.url} replies ${detail}${how}`);
  }
}

function counted(usage: Usage, sent: Sent): Usage {
  const first = usage.requests === 0;
  const { prompt_tokens = 0, completion_tokens = 0 } = ('reply' in sent ? sent.reply : sent.failure).usage ?? {};
  return {
    requests: usage.requests + 1,
    retries: usage.retries + (first ? 0 : 1),
    images: usage.images + ('reply' in sent ? 1 : 0),
    inputTokens: usage.inputTokens + prompt_tokens,
    outputTokens: usage.outputTokens + completion_tokens,
  };
}

function endOf(sent: Sent | undefined, seconds: number): Parameters<Awaited<ReturnType<AdaptiveLimit['enter']>>>[0] {
  if (sent && 'reply' in sent) return { kind: 'answered', seconds };
  return { kind: sent?.failure.kind === 'busy' ? 'busy' : 'failed' };
}
