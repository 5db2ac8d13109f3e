import { Template } from '@huggingface/jinja';
import { Tokenizer } from '@huggingface/tokenizers';
import { byteRunRepair } from './byte-fallback.js';
import { CheckpointError } from './checkpoint-error.js';
import type { CheckpointFiles } from './checkpoint-files.js';
import type { Message } from './processor.js';

/** What is used of a tokenizer. */
interface JsonTokenizer {
  encode(text: string, options: { readonly add_special_tokens: boolean }): { readonly ids: readonly number[] };
  decode(
    ids: readonly number[],
    options: { readonly skip_special_tokens: boolean; readonly clean_up_tokenization_spaces: boolean },
  ): string;
  token_to_id(token: string): number | undefined;
}

// The package's declarations import one another without extensions, which NodeNext does not resolve, so they say nothing.
const JsonTokenizer = Tokenizer as unknown as new (definition: object, config: object) => JsonTokenizer;

/** The tokenizer and chat template of a checkpoint folder. */
export interface TextProcessing {
  /** Ids of a text, special tokens recognised, none added. */
  encode(text: string): Int32Array;
  /** Ids of a rendered conversation: with what the tokenizer puts before a text, unless the template begins with it. */
  encodePrompt(text: string): Int32Array;
  /** Ids of an answer as it follows a prompt, to its end token. Throws CheckpointError if the chat template renders no answers. */
  encodeAnswer(answer: string): Int32Array;
  decode(ids: ArrayLike<number>, skipSpecial: boolean): string;
  chat(messages: readonly Message[], addGenerationPrompt: boolean): string;
  /** Id of a special token. Throws CheckpointError if the tokenizer lacks it. */
  idOf(token: string): number;
  /** The token that tokenizer_config.json gives this name, such as `image_token`; undefined if it names none so. */
  named(name: string): string | undefined;
}

/** Reads tokenizer.json, tokenizer_config.json and the chat template. Throws CheckpointError naming what is missing or broken. */
export async function openTextProcessing(files: CheckpointFiles): Promise<TextProcessing> {
  const config = (await files.json('tokenizer_config.json')) ?? {};
  const definition = await files.json('tokenizer.json');
  if (!definition) throw new CheckpointError(`${files.path('tokenizer.json')} is missing`);
  const tokenizer = newTokenizer(definition, config, files);
  const template = await chatTemplate(config, files);
  const encode = (text: string, special = false): Int32Array =>
    Int32Array.from(tokenizer.encode(text, { add_special_tokens: special }).ids);
  const chat: TextProcessing['chat'] = (messages, addGenerationPrompt) => {
    if (!template)
      throw new CheckpointError(`${files.path('chat_template.json')}: the checkpoint has no chat template`);
    return render(template, messages, addGenerationPrompt, config);
  };
  const repairBytes = byteRunRepair((token) => tokenizer.token_to_id(token));
  let turn: AnswerTurn | undefined;
  return {
    encode: (text) => encode(text),
    // Source: transformers processing_utils.py, apply_chat_template.
    encodePrompt: (text) => encode(text, !startsWith(text, tokenText(config['bos_token']))),
    encodeAnswer: (answer) => {
      turn ??= answerTurn(chat, tokenText(config['eos_token']));
      const follows = turn.before + answer + turn.after;
      // Some tokenizers treat the beginning of a text differently, so it is one with the prompt, unless the two grow together.
      const [prompt, whole] = [encode(turn.prompt), encode(turn.prompt + follows)];
      return prompt.every((id, i) => whole[i] === id) ? whole.subarray(prompt.length) : encode(follows);
    },
    decode: (ids, skipSpecial) =>
      ids.length === 0
        ? ''
        : tokenizer.decode(repairBytes(Array.from(ids)), {
            skip_special_tokens: skipSpecial,
            clean_up_tokenization_spaces: false,
          }),
    chat,
    idOf: (token) => {
      const id = tokenizer.token_to_id(token);
      if (id === undefined) throw new CheckpointError(`${files.path('tokenizer.json')}: there is no token ${token}`);
      return id;
    },
    named: (name) => {
      const extra = config['extra_special_tokens'] as Record<string, unknown> | undefined; // a list says no names
      return tokenText(extra?.[name] ?? config[name]) || undefined;
    },
  };
}

/** What a chat template puts around an answer. */
interface AnswerTurn {
  /** A conversation up to where the assistant answers. */
  readonly prompt: string;
  /** Between it and the answer. */
  readonly before: string;
  /** After the answer, up to its end token. */
  readonly after: string;
}

/** Found by rendering a conversation with and without its answer; a template that renders no end token leaves it to `endToken`. */
function answerTurn(chat: TextProcessing['chat'], endToken: string): AnswerTurn {
  const answer = 'Answer';
  const say = (role: Message['role'], text: string): Message => ({ role, content: [{ type: 'text', text }] });
  const question = say('user', 'Question');
  const prompt = chat([question], true);
  const whole = chat([question, say('assistant', answer)], false);
  const at = whole.indexOf(answer, prompt.length);
  if (!whole.startsWith(prompt) || at < 0) {
    throw new CheckpointError('the chat template does not render an answer after its generation prompt');
  }
  return {
    prompt,
    before: whole.slice(prompt.length, at),
    after: whole.slice(at + answer.length).trimEnd() || endToken,
  };
}

function startsWith(text: string, token: string): boolean {
  return token !== '' && text.startsWith(token);
}

function newTokenizer(definition: object, config: object, files: CheckpointFiles): JsonTokenizer {
  try {
    return new JsonTokenizer(definition, config);
  } catch (cause) {
    throw new CheckpointError(`${files.path('tokenizer.json')}: cannot be used (${String(cause)})`, { cause });
  }
}

async function chatTemplate(config: Record<string, unknown>, files: CheckpointFiles): Promise<Template | undefined> {
  const source =
    (await files.text('chat_template.jinja')) ??
    (await files.json('chat_template.json'))?.['chat_template'] ??
    config['chat_template'];
  if (typeof source !== 'string') return undefined;
  try {
    return new Template(source);
  } catch (cause) {
    throw new CheckpointError(`${files.path('chat_template')}: is no Jinja template (${String(cause)})`, { cause });
  }
}

function render(
  template: Template,
  messages: readonly Message[],
  addGenerationPrompt: boolean,
  config: Record<string, unknown>,
): string {
  try {
    return template.render({
      messages,
      add_generation_prompt: addGenerationPrompt,
      bos_token: tokenText(config['bos_token']),
      eos_token: tokenText(config['eos_token']),
    });
  } catch (cause) {
    throw new CheckpointError(`the chat template fails on these messages (${String(cause)})`, { cause });
  }
}

function tokenText(token: unknown): string {
  if (typeof token === 'string') return token;
  return (token as { content?: string } | undefined)?.content ?? '';
}
