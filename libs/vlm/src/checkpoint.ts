import { copyFile, mkdir, readdir, realpath, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { CheckpointError } from './checkpoint-error.js';
import { checkpointFiles } from './checkpoint-files.js';
import type { CheckpointFiles } from './checkpoint-files.js';
import type { Family, ModelShape } from './family.js';
import { openFamily } from './families.js';
import { hasWeights, openWeights } from './open-weights.js';
import type { Processor } from './processor.js';
import { writeSafetensors } from './safetensors.js';
import type { NamedTensor } from './safetensors.js';
import type { Dtype, Weights } from './weights.js';

/** What generation stops at and pads with. */
export interface GenerationTokens {
  readonly eosTokenIds: readonly number[];
  readonly padTokenId: number;
}

/** A Hugging Face checkpoint folder without its weights. */
export interface CheckpointDescription {
  readonly dir: string;
  readonly family: Family<unknown>;
  readonly config: unknown;
  readonly shape: ModelShape;
  readonly generation: GenerationTokens;
  readonly processor: Processor;
}

/** An open checkpoint folder. {@link close} lets go of its files. */
export interface Checkpoint extends CheckpointDescription {
  readonly weights: Weights;
  close(): void;
}

/**
 * Reads everything of a checkpoint folder but its weights: config.json, processor and tokenizer files, hub or v5 layout. Throws
 * CheckpointError naming the file and the field.
 */
export async function describeCheckpoint(dir: string): Promise<CheckpointDescription> {
  const files = checkpointFiles(dir);
  const json = await files.json('config.json');
  if (!json) throw new CheckpointError(`${files.path('config.json')} is missing: ${dir} is no checkpoint folder`);
  try {
    return await describe(dir, files, json);
  } catch (cause) {
    // Messages about a field name only its file: with two models at work, say whose.
    if (!(cause instanceof CheckpointError) || cause.message.startsWith(dir)) throw cause;
    throw new CheckpointError(`${dir}: ${cause.message}`, { cause });
  }
}

async function describe(
  dir: string,
  files: CheckpointFiles,
  json: Record<string, unknown>,
): Promise<CheckpointDescription> {
  const { family, config, openProcessor } = openFamily(json);
  return {
    dir,
    family,
    config,
    shape: family.shape(config),
    generation: await generationTokens(files, json),
    processor: await openProcessor(files),
  };
}

/**
 * Opens a checkpoint folder. Its tensors must be just those that the config calls for. Throws CheckpointError naming what is missing,
 * too many, misshapen or unreadable.
 */
export async function openCheckpoint(dir: string): Promise<Checkpoint> {
  const description = await describeCheckpoint(dir);
  const { family, config } = description;
  const opened = await openWeights(dir);
  try {
    const weights = renamed(opened, (name) => family.weightName(name), dir);
    const redundant = new Set(family.redundantWeights(config));
    const needed = { ...weights, names: weights.names.filter((name) => !redundant.has(name)) };
    checkWeights(needed, family.weights(config), dir);
    return { ...description, weights: needed, close: () => opened.close() };
  } catch (error) {
    opened.close();
    throw error;
  }
}

/** The same weights under other names. Throws CheckpointError where two would have one name. */
function renamed(weights: Weights, rename: (name: string) => string, dir: string): Weights {
  const original = new Map<string, string>();
  for (const name of weights.names) {
    const other = original.get(rename(name));
    if (other !== undefined)
      throw new CheckpointError(`${dir}: tensors ${other} and ${name} are the same weight twice`);
    original.set(rename(name), name);
  }
  const find = (name: string): string => original.get(name) ?? name;
  return {
    names: [...original.keys()],
    shape: (name) => weights.shape(find(name)),
    dtype: (name) => weights.dtype(find(name)),
    read: (name) => weights.read(find(name)),
  };
}

/** Number of parameters of a model, tied ones once. */
export function countParameters({ family, config }: Pick<CheckpointDescription, 'family' | 'config'>): number {
  let count = 0;
  for (const shape of family.weights(config).values()) count += shape.reduce((product, n) => product * n, 1);
  return count;
}

function checkWeights(weights: Weights, expected: ReadonlyMap<string, readonly number[]>, dir: string): void {
  const present = new Set(weights.names);
  const missing = [...expected.keys()].filter((name) => !present.has(name));
  if (missing.length > 0) throw new CheckpointError(`${dir}: ${list(missing)} missing from the weights`);
  const extra = weights.names.filter((name) => !expected.has(name));
  if (extra.length > 0)
    throw new CheckpointError(`${dir}: ${list(extra)} in the weights, but not in the model that config.json describes`);
  for (const [name, shape] of expected) {
    const found = weights.shape(name);
    if (found.join() !== shape.join()) {
      throw new CheckpointError(
        `${dir}: tensor ${name} is [${found.join(', ')}], but config.json calls for [${shape.join(', ')}]`,
      );
    }
  }
}

function list(names: readonly string[]): string {
  const shown = names.slice(0, 3).join(', ');
  const rest = names.length > 3 ? ` and ${names.length - 3} more` : '';
  return `tensor${names.length > 1 ? 's' : ''} ${shown}${rest} ${names.length > 1 ? 'are' : 'is'}`;
}

async function generationTokens(files: CheckpointFiles, config: Record<string, unknown>): Promise<GenerationTokens> {
  const generation = (await files.json('generation_config.json')) ?? {};
  const text = (config['text_config'] ?? {}) as Record<string, unknown>;
  const pick = (field: string): unknown => generation[field] ?? config[field] ?? text[field];
  const end = pick('eos_token_id');
  const eosTokenIds = (Array.isArray(end) ? end : [end]).filter((id): id is number => typeof id === 'number');
  if (eosTokenIds.length === 0) {
    throw new CheckpointError(
      `${files.path('generation_config.json')}: there is no eos_token_id here nor in config.json`,
    );
  }
  const pad = pick('pad_token_id');
  return { eosTokenIds, padTokenId: typeof pad === 'number' ? pad : eosTokenIds[0]! };
}

/** What a checkpoint folder holds beside its weights. */
const COMPANIONS =
  /^(.*config\.json|tokenizer\..*|vocab\..*|merges\.txt|special_tokens_map\.json|added_tokens\.json|chat_template\..*|LICENSE.*)$/;

/**
 * Copies the configuration, tokenizer and processor files of a checkpoint folder, all but its weights, into a folder that is there.
 * Throws CheckpointError for a link that leads out of the folder, unless to the blobs of a Hugging Face cache that it is a snapshot of: a checkpoint
 * of others must not have a file of this machine published.
 */
export async function copyCompanions(from: string, to: string): Promise<void> {
  const folder = await realpath(from);
  const homes = [folder, join(folder, '..', '..', 'blobs')];
  for (const name of await readdir(folder)) {
    if (!COMPANIONS.test(name)) continue;
    const file = await realpath(join(folder, name));
    if (!homes.includes(dirname(file)) || !(await stat(file)).isFile())
      throw new CheckpointError(`${join(from, name)}: leads out of the checkpoint; put the file itself there`);
    await copyFile(file, join(to, name));
  }
}

/**
 * Writes a checkpoint folder that `transformers` loads: new weights, in the element type `dtype`, beside the configuration,
 * tokenizer and processor files of an existing one, under the names that the weights have there. Weights are read one by one and come last, under a temporary name, so a
 * folder with `model.safetensors` is complete. Throws CheckpointError for a tensor of another size or a value that `dtype` cannot hold.
 */
export async function saveCheckpoint(
  dir: string,
  like: CheckpointDescription,
  read: (name: string) => Float32Array,
  dtype: Dtype,
): Promise<void> {
  await mkdir(dir, { recursive: true });
  if (resolve(dir) !== resolve(like.dir)) await copyCompanions(like.dir, dir);
  await declareDtype(dir, dtype);
  const saved = await savedNames(like);
  const tensors = [...like.family.weights(like.config)].map(([name, shape]) => ({ name, shape }));
  const layout = tensors.map(({ name, shape }) => ({ name: saved.get(name) ?? name, shape }));
  writeSafetensors(join(dir, 'model.safetensors'), layout, valuesOf(tensors, saved, read), dtype);
}

/** The names that a folder's own weights have where they differ from the family's. */
async function savedNames({ dir, family }: CheckpointDescription): Promise<ReadonlyMap<string, string>> {
  if (!hasWeights(dir)) return new Map();
  const weights = await openWeights(dir);
  weights.close();
  return new Map(weights.names.map((name) => [family.weightName(name), name]));
}

function* valuesOf(
  tensors: readonly Pick<NamedTensor, 'name' | 'shape'>[],
  saved: ReadonlyMap<string, string>,
  read: (name: string) => Float32Array,
): Generator<NamedTensor> {
  for (const { name, shape } of tensors) yield { name: saved.get(name) ?? name, shape, values: read(name) };
}

const TORCH_NAMES: Readonly<Record<Dtype, string>> = { F32: 'float32', F16: 'float16', BF16: 'bfloat16' };

/**
 * config.json says which type the weights have, as `torch_dtype` (hub layout) or `dtype` (v5). Its text is edited, so that numbers stay as
 * they are written: transformers tells 1.0 from 1.
 */
async function declareDtype(dir: string, dtype: Dtype): Promise<void> {
  const files = checkpointFiles(dir);
  const [text, config] = [await files.text('config.json'), await files.json('config.json')];
  if (text === undefined || !config) throw new CheckpointError(`${files.path('config.json')} is missing`);
  const name = JSON.stringify(TORCH_NAMES[dtype]);
  const declared = text.replace(/("(?:torch_)?dtype"\s*:\s*)(?:"[^"]*"|null)/g, `$1${name}`);
  const isSaid = 'dtype' in config || 'torch_dtype' in config;
  await writeFile(files.path('config.json'), isSaid ? declared : declared.replace('{', `{\n  "torch_dtype": ${name},`));
}
