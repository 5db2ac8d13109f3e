import { randomUUID } from 'node:crypto';
import sharp from 'sharp';
import { smallQuestion } from '../small-question.js';
import { TeacherError } from '../teacher.js';
import { fewerFields, optionalFields, type AcceptedField } from './accepted-fields.js';
import type { AskedSmall, ChatClient } from './chat-client.js';
import { generationFields, userMessage } from './chat-request.js';
import type { EndpointConfig } from './endpoint-config.js';
import { keyAdvice } from './endpoint-key.js';
import { requestId, type ReplyLog } from './reply-log.js';
import type { Destination, Failure } from './send-once.js';

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
    const asked = await client.askSmall(await this.#body(this.#accepted, 1));
    await this.#record(`${requestId('', 'probe')}/${randomUUID()}`, asked);
    this.#throwFailure(asked);
  }

  /** First for two draws, with all that may be taken; then for the likeliest answer, as images will be asked about. */
  async #ask(client: ChatClient, id: string): Promise<readonly AcceptedField[]> {
    let fields: readonly AcceptedField[] = optionalFields;
    for (;;) {
      const asked = await client.askSmall(await this.#body(fields, 2));
      await this.#record(`${id}/${randomUUID()}`, asked);
      if ('reply' in asked) {
        const { choices, usage } = asked.reply;
        this.#checkTokens(Boolean(usage));
        const does = { logprobs: Boolean(choices[0]!.logprobs?.content?.length), n: choices.length > 1 };
        fields = fields.filter((field) => (field === 'logprobs' || field === 'n' ? does[field] : true));
        const likeliest = await client.askSmall(await this.#body(fields, 1));
        await this.#record(id, likeliest, fields);
        this.#throwFailure(likeliest);
        return fields;
      }
      const refused = 'failure' in asked && asked.failure.kind === 'refused' ? asked.failure : undefined;
      const fewer = refused && fewerFields(fields, refused.detail);
      if (!fewer) this.#throwFailure(asked);
      fields = fewer!;
    }
  }

  async #body(fields: readonly AcceptedField[], n: number): Promise<string> {
    const { side, text } = smallQuestion;
    const image = await sharp({ create: { width: side, height: side, channels: 3, background: 'white' } })
      .png()
      .toBuffer();
    const generation = {
      ...{ model: this.config.model, maxNewTokens: TOKENS, accepted: new Set(fields), seed: 0, n },
      ...{ temperature: n > 1 ? 1 : 0, withProbabilities: true },
    };
    const message = userMessage(`data:image/png;base64,${image.toString('base64')}`, text);
    return JSON.stringify({ ...generationFields(generation), ...message });
  }

  async #record(id: string, asked: AskedSmall, accepted: readonly AcceptedField[] = []): Promise<void> {
    const { requests, inputTokens, outputTokens } = asked.usage;
    if (requests === 0) return;
    const failed =
      'reply' in asked
        ? undefined
        : 'failure' in asked
          ? { reason: asked.failure.kind, detail: asked.failure.detail }
          : { reason: asked.error.name, detail: asked.error.message };
    const used = { requests, inputTokens, outputTokens };
    // A failed one has an id of its own: it may be asked again.
    const own = failed ? `${id}/${randomUUID()}` : id;
    await this.log.add(own, {
      sampleId: '',
      purpose: 'probe',
      accepted: [...accepted],
      ...used,
      ...(failed && { failed }),
    });
  }

  #throwFailure(asked: AskedSmall): void {
    if ('error' in asked) throw asked.error;
    if ('failure' in asked) throw this.#unavailable(asked.failure);
  }

  #unavailable({ kind, detail }: Failure): TeacherError {
    const hint = /HTTP 40[13]/.test(detail)
      ? `; ${keyAdvice(this.config)}`
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
