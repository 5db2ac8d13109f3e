import { randomUUID } from 'node:crypto';
import type { ImageInput, ReplyChoice } from '@mpa/contracts';
import type { Streams } from '@mpa/streams';
import { modelCalls, tellGeneratedTokens } from '@mpa/telemetry';
import { TeacherError } from '../teacher.js';
import type { Asking, Drawing, ExaminedAnswer, ExaminedQuestion, ExplainedQuestion, LoadOptions, SignalKind, Teacher, TeacherAnswer, TeacherQuestion } from '../teacher.js'; // prettier-ignore
import type { AcceptedField } from './accepted-fields.js';
import { AdaptiveLimit } from './adaptive-limit.js';
import { Budget } from './budget.js';
import { ChatClient } from './chat-client.js';
import type { ChatReply } from './chat-reply.js';
import { generationFields, userMessage, type Generation } from './chat-request.js';
import type { EndpointConfig } from './endpoint-config.js';
import { Probe } from './probe.js';
import { remoteImage, type RemoteImage } from './remote-image.js';
import { forgetfulLog, openReplyLog, requestId, type ReplyLog } from './reply-log.js';
import type { Destination } from './send-once.js';
import { stepSums } from './step-sums.js';

/** Answers to one question, as one request or several. */
type Wanted = Pick<Generation, 'temperature' | 'seed' | 'n' | 'withProbabilities'>;

/**
 * A teacher behind an endpoint that speaks OpenAI's chat completions. What it cannot tell of its answers (attention always;
 * probabilities where the server gives none) it leaves out; the probability of an answer is known where it said just that itself.
 */
export class RemoteModel implements Teacher<RemoteImage, RemoteImage> {
  readonly id: string;
  readonly parallel: number;
  gives: ReadonlySet<SignalKind> = new Set();
  #client: ChatClient;
  #probe: Probe;
  #ready: Promise<ReadonlySet<AcceptedField>> | undefined;
  readonly #ended = new AbortController();

  /** @param key what the server is to be shown; none for one that asks for none */
  constructor(
    private readonly config: EndpointConfig,
    private readonly key: string | undefined,
    private readonly log: ReplyLog = forgetfulLog(),
  ) {
    this.id = config.model;
    this.parallel = config.traffic.most;
    const destination = destinationOf(config, key);
    this.#probe = new Probe(config, destination, log);
    this.#client = new ChatClient(
      {
        ...{ destination, traffic: config.traffic, random: Math.random, ended: this.#ended.signal },
        limit: new AdaptiveLimit(config.traffic.first, config.traffic.most, () => performance.now() / 1000),
        budget: new Budget(config, { usage: log.usage, largest: log.largest }),
        hasAnswered: log.hasAnswered,
      },
      () => this.#probe.check(this.#client),
    );
  }

  async forRun(streams: Streams): Promise<RemoteModel> {
    const model = new RemoteModel(this.config, this.key, await openReplyLog(streams));
    this.#ended.signal.addEventListener('abort', () => void model.close(), { once: true });
    await model.#accepted();
    return model;
  }

  load(image: Pick<ImageInput, 'source'>, options: LoadOptions): Promise<RemoteImage> {
    return remoteImage(image, this.config.images, options);
  }

  async look(images: readonly RemoteImage[]): Promise<RemoteImage[]> {
    return [...images];
  }

  answer(questions: readonly TeacherQuestion<RemoteImage>[], asking: Asking): Promise<TeacherAnswer[]> {
    const wanted = { temperature: 0, withProbabilities: asking.purpose !== 'annotate' };
    return Promise.all(questions.map(async (question) => (await this.#ask(question, wanted, asking))[0]!));
  }

  async sample(
    questions: readonly TeacherQuestion<RemoteImage>[],
    { answers, temperature, seed }: Drawing,
    asking: Asking,
  ): Promise<TeacherAnswer[][]> {
    const accepted = await this.#accepted();
    const withProbabilities = asking.purpose !== 'annotate';
    const draws: Wanted[] = accepted.has('n')
      ? [{ temperature, seed, n: answers, withProbabilities }]
      : Array.from({ length: answers }, (_, i) => ({ temperature, seed: seed + i, withProbabilities }));
    return Promise.all(
      questions.map(async (question) =>
        (await Promise.all(draws.map((draw) => this.#ask(question, draw, asking)))).flat(),
      ),
    );
  }

  async examine(questions: readonly ExaminedQuestion<RemoteImage>[]): Promise<ExaminedAnswer[]> {
    return questions.map(({ answer, said }) => (said.text === answer ? { logProbability: said.logProbability } : {}));
  }

  async scoreSteps(questions: readonly ExplainedQuestion<RemoteImage>[]): Promise<(readonly number[] | undefined)[]> {
    return questions.map(({ steps, said }) => stepSums(steps, said.tokens ?? []));
  }

  async inTurn<T>(work: () => Promise<T>): Promise<{ result: T; seconds: number }> {
    const began = performance.now();
    const result = await work();
    return { result, seconds: (performance.now() - began) / 1000 };
  }

  async close(): Promise<void> {
    this.#ended.abort(new TeacherError('unavailable', 'the service is stopping'));
  }

  /** What the endpoint takes, asked once. */
  #accepted(): Promise<ReadonlySet<AcceptedField>> {
    return (this.#ready ??= this.#probe.accepted(this.#client).then((accepted) => {
      this.gives = new Set(accepted.has('logprobs') ? ['confidence', 'n_best', 'rationale'] : []);
      return accepted;
    }));
  }

  async #ask(
    { image, text }: TeacherQuestion<RemoteImage>,
    wanted: Wanted,
    { purpose, signal = this.#ended.signal }: Asking,
  ): Promise<TeacherAnswer[]> {
    const { model, maxNewTokens } = this.config;
    const accepted = await this.#accepted();
    const fields = generationFields({ model, maxNewTokens, accepted, ...wanted });
    // The seed is told apart even where the endpoint does not take it: draws are requests of their own.
    const id = requestId(image.sampleId, purpose, fields, wanted.seed, image.digest, text);
    const kept = this.log.find(id);
    if (kept) return kept.choices.map(answerOf);
    const body = JSON.stringify({ ...fields, ...userMessage(image.url, text) });
    const call = { kind: 'request', provider: 'endpoint' } as const;
    const asked = await modelCalls.tracePromise(() => this.#client.ask(body, signal), call);
    const { usage } = asked;
    tellGeneratedTokens(usage.outputTokens);
    const choices = 'reply' in asked ? choicesOf(asked.reply) : [];
    if (usage.requests > 0) {
      const failed = 'error' in asked ? { reason: asked.error.name, detail: asked.error.message } : undefined;
      await this.log.add(failed ? `${id}/${randomUUID()}` : id, {
        ...{ sampleId: image.sampleId, purpose, choices },
        ...{ requests: usage.requests, inputTokens: usage.inputTokens, outputTokens: usage.outputTokens },
        ...(failed && { failed }),
      });
    }
    if ('error' in asked) throw asked.error;
    return choices.map(answerOf);
  }
}

type Choice = Pick<ReplyChoice, 'text' | 'cutOff'> & { readonly tokens: { text: string; logProbability: number }[] };

function choicesOf({ choices }: ChatReply): Choice[] {
  return choices.map(({ message, finish_reason, logprobs }) => ({
    text: message.content.trim(),
    cutOff: finish_reason === 'length',
    tokens: (logprobs?.content ?? []).map(({ token, logprob }) => ({ text: token, logProbability: logprob })),
  }));
}

function answerOf({ text, tokens }: Choice | ReplyChoice): TeacherAnswer {
  if (tokens.length === 0) return { text };
  return { text, tokens, logProbability: tokens.reduce((sum, { logProbability }) => sum + logProbability, 0) };
}

function destinationOf({ url, traffic }: EndpointConfig, key: string | undefined): Destination {
  const method = new URL(url);
  method.pathname = `${method.pathname.replace(/\/+$/, '')}/chat/completions`;
  return { url: method.href, key, timeout: traffic.timeout };
}
