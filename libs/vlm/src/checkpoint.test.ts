import { mkdir, readdir, readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { countParameters, describeCheckpoint, openCheckpoint, saveCheckpoint } from './checkpoint.js';
import { CheckpointError } from './checkpoint-error.js';
import { checkpointCopy, oracle, temporaryFolder } from './oracle.fixture.js';
import { openSafetensors, writeSafetensors } from './safetensors.js';
import type { NamedTensor } from './safetensors.js';
import type { Dtype } from './weights.js';

const NORM = 'model.text_model.norm.weight'; // [64], 256 bytes

type Header = Record<string, { shape: number[]; dtype: string; data_offsets: [number, number] }>;

/** Rewrites the header of a checkpoint's weights, as long as the data stays where it is. */
async function editHeader(dir: string, edit: (header: Header) => void): Promise<void> {
  const path = join(dir, 'model.safetensors');
  const file = await readFile(path);
  const length = Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString('utf8', 8, 8 + length)) as Header;
  edit(header);
  const json = Buffer.from(JSON.stringify(header));
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(json.length));
  await writeFile(path, Buffer.concat([prefix, json, file.subarray(8 + length)]));
}

async function editConfig(dir: string, edit: (config: Record<string, unknown>) => void): Promise<void> {
  const path = join(dir, 'config.json');
  const config = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
  edit(config);
  await writeFile(path, JSON.stringify(config));
}

async function writeLength(dir: string, length: bigint): Promise<void> {
  const path = join(dir, 'model.safetensors');
  const file = await readFile(path);
  file.writeBigUInt64LE(length, 0);
  await writeFile(path, file);
}

async function tensorsOf(dir: string): Promise<NamedTensor[]> {
  const { weights, close } = await openCheckpoint(dir);
  const tensors = weights.names.map((name) => ({ name, shape: weights.shape(name), values: weights.read(name) }));
  close();
  return tensors;
}

async function shard(dir: string): Promise<NamedTensor[]> {
  const tensors = await tensorsOf(dir);
  await rm(join(dir, 'model.safetensors'));
  const [a, b] = [tensors.slice(0, 20), tensors.slice(20)];
  writeSafetensors(join(dir, 'model-00001-of-00002.safetensors'), a, a, 'F32');
  writeSafetensors(join(dir, 'model-00002-of-00002.safetensors'), b, b, 'F32');
  const weight_map = Object.fromEntries(
    tensors.map(({ name }, i) => [name, `model-0000${i < 20 ? 1 : 2}-of-00002.safetensors`]),
  );
  await writeFile(join(dir, 'model.safetensors.index.json'), JSON.stringify({ metadata: {}, weight_map }));
  return tensors;
}

describe('openCheckpoint', () => {
  it('opens a folder and counts its parameters', async () => {
    const checkpoint = await openCheckpoint(oracle);
    expect(checkpoint.shape).toMatchObject({ vocabSize: 560, kvHeads: 2, headDim: 16 });
    expect(checkpoint.generation).toEqual({ eosTokenIds: [559], padTokenId: 2 });
    expect(countParameters(checkpoint)).toBe(243056);
    expect(checkpoint.weights.read(NORM)).toHaveLength(64);
    checkpoint.close();
  });

  it('reads the same weights from shards', async () => {
    const dir = await checkpointCopy();
    const tensors = await shard(dir);
    const { weights, close } = await openCheckpoint(dir);
    for (const { name, values } of tensors) expect(weights.read(name)).toEqual(values);
    close();
  });

  it('leaves out the copy of a tied head', async () => {
    const dir = await checkpointCopy();
    await editConfig(dir, (config) => (config['tie_word_embeddings'] = true));
    const checkpoint = await openCheckpoint(dir);
    expect(checkpoint.weights.names).not.toContain('lm_head.weight');
    expect(countParameters(checkpoint)).toBe(243056 - 560 * 64);
    checkpoint.close();
  });

  it.each<[string, (dir: string) => Promise<unknown>, RegExp]>([
    ['no folder', (dir) => rm(dir, { recursive: true }), /no checkpoint folder/],
    ['no weights', (dir) => rm(join(dir, 'model.safetensors')), /neither model\.safetensors nor/],
    [
      'a missing tensor',
      (dir) => rewriteWeights(dir, (tensors) => tensors.filter(({ name }) => name !== NORM)),
      /model\.text_model\.norm\.weight is missing/,
    ],
    [
      'an extra tensor',
      (dir) => rewriteWeights(dir, (t) => [...t, { name: 'stray', shape: [1], values: Float32Array.of(1) }]),
      /tensor stray is in the weights, but not in the model/,
    ],
    [
      'a misshapen tensor',
      (dir) => editHeader(dir, (header) => (header[NORM]!.shape = [8, 8])),
      /norm\.weight is \[8, 8\], but config\.json calls for \[64\]/,
    ],
    [
      'a config of another width',
      (dir) => editConfig(dir, (config) => (config['scale_factor'] = 1)),
      /image_seq_len is 4, but a tile becomes 16/,
    ],
    ['truncated weights', (dir) => truncate(join(dir, 'model.safetensors'), 500_000), /truncated or damaged/],
    ['weights of 3 bytes', (dir) => truncate(join(dir, 'model.safetensors'), 3), /3 bytes are no safetensors file/],
    ['bytes after the last tensor', (dir) => appendByte(dir), /1 bytes follow the last tensor/],
    ['a header of 10 GB', (dir) => writeLength(dir, 10_000_000_000n), /header claims 10000000000 bytes/],
    ['a header of 2^64 - 1 bytes', (dir) => writeLength(dir, 2n ** 64n - 1n), /header claims/],
    ['a header that is not JSON', (dir) => writeLength(dir, 100n), /header is not JSON/],
    [
      'offsets beyond the file',
      (dir) => editHeader(dir, (h) => (h[NORM]!.data_offsets = [90_000_000, 90_000_256])),
      /norm\.weight lies at bytes .* of a file of/,
    ],
    [
      'overlapping tensors',
      (dir) => editHeader(dir, (h) => (h[NORM]!.data_offsets = [0, 256])),
      /overlaps the tensor before it/,
    ],
    [
      'offsets that contradict the shape',
      (dir) => editHeader(dir, (h) => (h[NORM]!.shape = [63])),
      /norm\.weight \[63\] F32 takes 252 bytes, but has 256/,
    ],
    [
      'negative offsets',
      (dir) => editHeader(dir, (h) => (h[NORM]!.data_offsets = [-256, 0])),
      /tensor model\.text_model\.norm\.weight/,
    ],
    ['integer weights', (dir) => editHeader(dir, (h) => (h[NORM]!.dtype = 'I32')), /is I32; only F32, F16, BF16/],
    [
      'an unknown architecture',
      (dir) => editConfig(dir, (config) => (config['model_type'] = 'gpt2')),
      /"gpt2" is not supported; supported are smolvlm, idefics3/,
    ],
    [
      'a config field of the wrong type',
      (dir) => editConfig(dir, (config) => (config['scale_factor'] = 'two')),
      /config\.json: scale_factor/,
    ],
    [
      'heads that do not divide',
      (dir) =>
        editConfig(dir, (config) => ((config['text_config'] as Record<string, unknown>)['num_key_value_heads'] = 3)),
      /4 is not a multiple of 3/,
    ],
    ['broken JSON', (dir) => truncate(join(dir, 'config.json'), 40), /config\.json: is not valid JSON/],
    ['a broken tokenizer', (dir) => truncate(join(dir, 'tokenizer.json'), 40), /tokenizer\.json: is not valid JSON/],
    ['no tokenizer', (dir) => rm(join(dir, 'tokenizer.json')), /tokenizer\.json is missing/],
    [
      'a config that links to itself',
      async (dir) => {
        await rm(join(dir, 'config.json'));
        await symlink('config.json', join(dir, 'config.json'));
      },
      /config\.json: cannot be read \(ELOOP\)/,
    ],
    [
      'a shard that is not there',
      async (dir) => {
        await shard(dir);
        await rm(join(dir, 'model-00002-of-00002.safetensors'));
      },
      /model-00002-of-00002\.safetensors: cannot be opened \(ENOENT\)/,
    ],
    [
      'an index that points out of the folder',
      async (dir) => {
        await rm(join(dir, 'model.safetensors'));
        const index = { weight_map: { [NORM]: '../model.safetensors' } };
        await writeFile(join(dir, 'model.safetensors.index.json'), JSON.stringify(index));
      },
      /is not a file of the folder/,
    ],
  ])('refuses %s', async (_, damage, message) => {
    const dir = await checkpointCopy();
    await damage(dir);
    const opened = openCheckpoint(dir);
    await expect(opened).rejects.toThrow(CheckpointError);
    await expect(opened).rejects.toThrow(message);
    await expect(opened).rejects.toThrow(dir);
  });
});

async function rewriteWeights(dir: string, change: (tensors: NamedTensor[]) => NamedTensor[]): Promise<void> {
  const tensors = change(await tensorsOf(dir));
  writeSafetensors(join(dir, 'model.safetensors'), tensors, tensors, 'F32');
}

async function appendByte(dir: string): Promise<void> {
  const path = join(dir, 'model.safetensors');
  await writeFile(path, Buffer.concat([await readFile(path), Buffer.alloc(1)]));
}

describe('saveCheckpoint', () => {
  it.each<[Dtype, string, number]>([
    ['F32', 'float32', 0],
    ['BF16', 'bfloat16', 2 ** -8],
    ['F16', 'float16', 2 ** -11],
  ])('writes %s weights that read back to its precision', async (dtype, name, precision) => {
    const checkpoint = await openCheckpoint(oracle);
    const dir = join(await temporaryFolder(), 'saved');
    await saveCheckpoint(dir, checkpoint, (tensor) => checkpoint.weights.read(tensor), dtype);
    const saved = await openCheckpoint(dir);
    for (const tensor of checkpoint.weights.names) {
      const [before, after] = [checkpoint.weights.read(tensor), saved.weights.read(tensor)];
      expect(saved.weights.dtype(tensor)).toBe(dtype);
      // Half a unit in the last place, or of the smallest float16 subnormal.
      expect(before.every((x, i) => Math.abs(x - after[i]!) <= Math.max(Math.abs(x) * precision, 2 ** -25))).toBe(true);
    }
    const config = JSON.parse(await readFile(join(dir, 'config.json'), 'utf8')) as Record<string, unknown>;
    expect(config).toMatchObject({ torch_dtype: name, text_config: { torch_dtype: name } });
    expect(await readdir(dir)).toEqual(
      expect.not.arrayContaining(['reference.json', 'reference.safetensors', 'model.safetensors.writing']),
    );
    checkpoint.close();
    saved.close();
  });

  it.each([
    ['{ "dtype": "bfloat16", "a": 1.0 }', '{ "dtype": "float32", "a": 1.0 }'],
    ['{ "torch_dtype": null, "a": 1e-06 }', '{ "torch_dtype": "float32", "a": 1e-06 }'],
    ['{ "a": { "dtype": "float16" } }', '{\n  "torch_dtype": "float32", "a": { "dtype": "float32" } }'],
  ])('says the type in a config.json of %s, and changes no more of it', async (own, declared) => {
    // transformers 5 refuses a config whose 1.0 has become 1.
    const dir = await checkpointCopy();
    const checkpoint = await openCheckpoint(dir);
    const saved = await temporaryFolder();
    await writeFile(join(dir, 'config.json'), own);
    await saveCheckpoint(saved, checkpoint, (name) => checkpoint.weights.read(name), 'F32');
    expect(await readFile(join(saved, 'config.json'), 'utf8')).toBe(declared);
    checkpoint.close();
  });

  it('copies files of the checkpoint and of the cache that it is linked from, and nothing else that a link leads to', async () => {
    const [cache, dir] = [await temporaryFolder(), await checkpointCopy()];
    const snapshot = join(cache, 'snapshots', 'main');
    await mkdir(snapshot, { recursive: true });
    await rename(dir, join(cache, 'blobs'));
    for (const name of await readdir(join(cache, 'blobs'))) await symlink(join('..', '..', 'blobs', name), join(snapshot, name)); // prettier-ignore
    const checkpoint = await openCheckpoint(snapshot);
    const save = async (): Promise<string> => {
      const saved = await temporaryFolder();
      await saveCheckpoint(saved, checkpoint, (name) => checkpoint.weights.read(name), 'F32');
      return saved;
    };
    (await openCheckpoint(await save())).close();

    const secret = join(await temporaryFolder(), 'id_rsa');
    await writeFile(secret, 'a key');
    await symlink(secret, join(snapshot, 'LICENSE.txt'));
    await expect(save()).rejects.toThrow(/LICENSE\.txt: leads out of the checkpoint; put the file itself there/);
    checkpoint.close();
  });

  it('leaves no weights behind when it fails', async () => {
    const like = await describeCheckpoint(oracle);
    const dir = await temporaryFolder();
    const saving = saveCheckpoint(dir, like, () => new Float32Array(3), 'F32');
    await expect(saving).rejects.toThrow(/with 3 values given/);
    expect((await readdir(dir)).filter((name) => name.includes('safetensors'))).toEqual([]);
  });

  it('refuses values that float16 cannot hold', async () => {
    const like = await describeCheckpoint(oracle);
    const sizes = like.family.weights(like.config);
    const read = (name: string): Float32Array =>
      new Float32Array(sizes.get(name)!.reduce((p, n) => p * n, 1)).fill(7e4);
    const saving = saveCheckpoint(await temporaryFolder(), like, read, 'F16');
    await expect(saving).rejects.toThrow(/tensor model\..*: 70000 does not fit in F16/);
  });

  it('takes the place of the weights it was made from', async () => {
    const dir = await checkpointCopy('v5_layout');
    const checkpoint = await openCheckpoint(dir);
    await saveCheckpoint(`${dir}/.`, checkpoint, (name) => checkpoint.weights.read(name).map((x) => x + 1), 'F32');
    const saved = await openCheckpoint(dir);
    expect(saved.weights.read(NORM)).toEqual(checkpoint.weights.read(NORM).map((x) => x + 1));
    checkpoint.close();
    saved.close();
  });
});

describe('openSafetensors', () => {
  it('names a tensor that is not there', () => {
    const file = openSafetensors(join(oracle, 'model.safetensors'));
    expect(() => file.read('nope')).toThrow(/there is no tensor nope/);
    file.close();
  });
});
