import { randomUUID } from 'node:crypto';
import sharp from 'sharp';
import { TeacherError } from '../teacher.js';
import { fewerFields, optionalFields, type AcceptedField } from './accepted-fields.js';
import type { ChatClient } from './chat-client.js';
import { generationFields, userMessage } from './chat-request.js';
import type { EndpointConfig } from './endpoint-config.js';
import { KEY_VARIABLE } from './endpoint-key.js';
import { requestId, type ReplyLog } from './reply-log.js';
import type { Destination, Failure } from './send-once.js';

/** Pixels of a side of the image that is sent, above what models take at least. */
const SIDE = 64;

/** Most tokens of the answer, the fewest that vendors accept. */
const TOKENS = 16;

/** Asks an endpoint what it can do, once a run, and later whether it is still there. */
export class Probe {
  #accepted: readonly AcceptedField[] = optionalFields;

  constructor(
    private readonly config: EndpointConfig,
    private readonly destination: Destination,
    private readonly log: ReplyLog,
  ) {}

  /**
   * What the endpoint takes and does: as an earlier session of the run found, or else by asking with all fields, and then with
   * fewer until it does not refuse. Throws TeacherError.
   */
  async accepted(client: ChatClient): Promise<ReadonlySet<AcceptedField>> {
    const id = requestId('', 'probe', this.destination.url, this.config.model);
    const kept = this.log.find(id);
    if (kept) this.#checkTokens(kept.inputTokens + kept.outputTokens > 0);
    this.#accepted = kept ? (kept.accepted as AcceptedField[]) : await this.#ask(client, id);
    return new Set(this.#accepted);
  }

  /** Throws TeacherError when the endpoint does not answer what it has answered before. */
  async check(client: ChatClient): Promise<void> {
    const { sent, usage } = await client.askSmall(await this.#body(this.#accepted, 1));
    await this.#record(`${requestId('', 'probe')}/${randomUUID()}`, usage, sent);
    if ('failure' in sent) throw this.#unavailable(sent.failure);
  }

  async #ask(client: ChatClient, id: string): Promise<readonly AcceptedField[]> {
    let fields: readonly AcceptedField[] = optionalFields;
    for (;;) {
      const { sent, usage } = await client.askSmall(await this.#body(fields, 2));
      if ('reply' in sent) {
        const { choices, usage: told } = sent.reply;
        this.#checkTokens(Boolean(told));
        const does = { logprobs: Boolean(choices[0]!.logprobs?.content?.length), n: choices.length > 1 };
        const accepted = fields.filter((field) => (field === 'logprobs' || field === 'n' ? does[field] : true));
        await this.#record(id, usage, sent, accepted);
        return accepted;
      }
      await this.#record(`${id}/${randomUUID()}`, usage, sent);
      const fewer = sent.failure.kind === 'refused' ? fewerFields(fields, sent.failure.detail) : undefined;
      if (!fewer) throw this.#unavailable(sent.failure);
      fields = fewer;
    }
  }

  async #body(fields: readonly AcceptedField[], n: number): Promise<string> {
    const background = 'white';
    const image = await sharp({ create: { width: SIDE, height: SIDE, channels: 3, background } })
      .png()
      .toBuffer();
    const generation = {
      ...{ model: this.config.model, maxNewTokens: TOKENS, accepted: new Set(fields), seed: 0, n },
      ...{ temperature: n > 1 ? 1 : 0, withProbabilities: true },
    };
    const message = userMessage(`data:image/png;base64,${image.toString('base64')}`, 'What is on this image?');
    return JSON.stringify({ ...generationFields(generation), ...message });
  }

  async #record(
    id: string,
    { requests, inputTokens, outputTokens }: Awaited<ReturnType<ChatClient['askSmall']>>['usage'],
    sent: Awaited<ReturnType<ChatClient['askSmall']>>['sent'],
    accepted: readonly AcceptedField[] = [],
  ): Promise<void> {
    const failed = 'failure' in sent ? { failed: { reason: sent.failure.kind, detail: sent.failure.detail } } : {};
    const used = { requests, inputTokens, outputTokens };
    await this.log.add(id, { sampleId: '', purpose: 'probe', accepted: [...accepted], ...used, ...failed });
  }

  #unavailable({ kind, detail }: Failure): TeacherError {
    const variable = this.config.keyVariable ?? KEY_VARIABLE;
    const hint = /HTTP 40[13]/.test(detail)
      ? `; put the right key into the environment variable ${variable}`
      : kind === 'barred'
        ? '; give the right URL and model'
        : '; the same command goes on once it answers again';
    return new TeacherError('unavailable', `the teacher at ${this.destination.url} does not answer: ${detail}${hint}`);
  }

  /** A budget of tokens needs an endpoint that tells them. Throws TeacherError. */
  #checkTokens(areTold: boolean): void {
    const { tokens, cost } = this.config.budget;
    if (areTold || (tokens ?? cost) === undefined) return;
    const message = `the teacher at ${this.destination.url} does not tell how many tokens it used: limit --max-requests instead`;
    throw new TeacherError('unfit', message);
  }
}
