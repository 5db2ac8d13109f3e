import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { runMpa } from './run-mpa.fixture.js';

const model = fileURLToPath(new URL('../../../test/fixtures/vlm/smolvlm-a/', import.meta.url));
const images = join(model, 'images');
const image = join(images, readdirSync(images)[0]!);
const work = mkdtempSync(join(tmpdir(), 'mpa-bad-model-'));
afterAll(() => rmSync(work, { recursive: true }));

const NORM = 'model.text_model.norm.weight'; // [64], 256 bytes

type Header = Record<string, { shape: number[]; dtype: string; data_offsets: [number, number] }>;

/** Rewrites the header of a checkpoint's weights; their data stay as they are. */
function editHeader(dir: string, edit: (header: Header, length: number) => void): void {
  const path = join(dir, 'model.safetensors');
  const file = readFileSync(path);
  const data = file.subarray(8 + Number(file.readBigUInt64LE(0)));
  const header = JSON.parse(file.toString('utf8', 8, file.length - data.length)) as Header;
  edit(header, data.length);
  const json = Buffer.from(JSON.stringify(header));
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(json.length));
  writeFileSync(path, Buffer.concat([prefix, json, data]));
}

function claimHeader(dir: string, length: bigint): void {
  const path = join(dir, 'model.safetensors');
  const file = readFileSync(path);
  file.writeBigUInt64LE(length);
  writeFileSync(path, file);
}

function moveNorm(header: Header): void {
  header['lost.weight'] = header[NORM]!;
  delete header[NORM];
}

/** What is wrong with a model folder, how it comes to be so, and what of it the message names beside the folder. */
const damages: [string, (dir: string) => void, RegExp][] = [
  ['lacks a tensor', (dir) => editHeader(dir, moveNorm), /model\.text_model\.norm\.weight is missing/],
  [
    'has a tensor too many',
    (dir) => editHeader(dir, (h, end) => (h['stray'] = { dtype: 'F32', shape: [0], data_offsets: [end, end] })),
    /tensor stray is in the weights, but not in the model/,
  ],
  [
    'has a misshapen tensor',
    (dir) => editHeader(dir, (h) => (h[NORM]!.shape = [8, 8])),
    /norm\.weight is \[8, 8\], but config\.json calls for \[64\]/,
  ],
  [
    'has truncated weights',
    (dir) => truncateSync(join(dir, 'model.safetensors'), 500_000),
    /\/model\.safetensors: tensor .* truncated/,
  ],
  [
    'has offsets beyond the file',
    (dir) => editHeader(dir, (h) => (h[NORM]!.data_offsets = [90_000_000, 90_000_256])),
    /\/model\.safetensors: tensor .*norm\.weight lies at bytes/,
  ],
  [
    'has overlapping tensors',
    (dir) => editHeader(dir, (h) => (h[NORM]!.data_offsets = [0, 256])),
    /\/model\.safetensors: .* overlaps/,
  ],
  [
    'claims a header of 10 GB',
    (dir) => claimHeader(dir, 10n ** 10n),
    /\/model\.safetensors: .*claims 10000000000 bytes/,
  ],
  [
    'is of an unknown architecture',
    (dir) => writeFileSync(join(dir, 'config.json'), '{ "model_type": "gpt2" }'),
    /config\.json.*"gpt2" is not supported/,
  ],
  ['has a broken config', (dir) => truncateSync(join(dir, 'config.json'), 40), /\/config\.json: is not valid JSON/],
  ['has a broken tokenizer', (dir) => truncateSync(join(dir, 'tokenizer.json'), 40), /\/tokenizer\.json: is not valid/],
];

function damaged(name: string, damage: (dir: string) => void): string {
  const dir = join(work, name);
  cpSync(model, dir, { recursive: true, filter: (path) => path === model || /\.(json|jinja|safetensors)$/.test(path) });
  damage(dir);
  return dir;
}

describe('a model folder that', () => {
  it.each(damages)('%s: exit code 1 and one line that names it', async (name, damage, message) => {
    const dir = damaged(name, damage);
    const { code, stdout, stderr } = await runMpa('answer', '--model', dir, '--image', image, '--question', 'q');
    expect(stderr).toMatch(/^mpa: [^\n]+\n$/);
    expect(stderr).toMatch(message);
    expect(stderr).toContain(dir);
    expect(stdout).toBe('');
    expect(code).toBe(1);
  });

  it.each(['teacher', 'student'])('is no good as a %s: mpa align says so before it begins', async (role) => {
    const dir = damaged(role, (to) => truncateSync(join(to, 'model.safetensors'), 500_000));
    const out = join(work, 'run');
    const models = ['--teacher', model, '--student', model];
    models[models.indexOf(`--${role}`) + 1] = dir;
    const { code, stderr } = await runMpa('align', '--images', images, '--task', 'chartqa', ...models, '--out', out);
    expect(stderr).toMatch(/^mpa: [^\n]+\n$/);
    expect(stderr).toContain(join(dir, 'model.safetensors'));
    expect(existsSync(out)).toBe(false);
    expect(code).toBe(1);
  });
});
