import { createHash } from 'node:crypto';
import { createWriteStream, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { runCommand } from '../run-command.mjs';
import { SetupError } from '../setup-error.mjs';
import { step } from '../step.mjs';
import { compileBinding } from './compile-binding.mjs';
import { BINDING, OFFICIAL_VERSION, bindingSources } from './release.mjs';

const HOST = 'https://storage.googleapis.com';
const ANSWER_MS = 20_000;
const DOWNLOAD_MS = 15 * 60_000;

/**
 * Fills `folder` with what `@tensorflow/tfjs-node-gpu` itself would download at install: an old libtensorflow and, where
 * nothing can be compiled, its published binding. For machines without python3 and pip, or without a compiler.
 *
 * @param {string} folder empty folder to fill
 * @throws {SetupError} on another kind of machine, without network, or when a checksum differs
 */
export async function unpackOfficialDownload(folder) {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new SetupError(`no official build is used on ${process.platform} ${process.arch}`);
  }
  const library = `tensorflow/libtensorflow/libtensorflow-cpu-linux-x86_64-${OFFICIAL_VERSION}.tar.gz`;
  await downloadAndUnpack(`${HOST}/${library}`, join(folder, 'deps'), 0);
  try {
    await compileBinding(folder);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    const { version } = JSON.parse(readFileSync(join(bindingSources(), 'package.json'), 'utf8'));
    const addon = `tf-builds/pre-built-binary/napi-v8/${version}/CPU-linux-${version}.tar.gz`;
    await downloadAndUnpack(`${HOST}/${addon}`, join(folder, dirname(BINDING)), 1);
  }
}

async function downloadAndUnpack(url, folder, strippedFolders) {
  mkdirSync(folder, { recursive: true });
  const archive = join(folder, 'download.tar.gz');
  await step(`download ${url}`, () => download(url, archive));
  await runCommand('tar', ['-xzf', archive, '-C', folder, `--strip-components=${strippedFolders}`], {
    timeoutMs: 300_000,
  });
  rmSync(archive);
}

async function download(url, path) {
  const abort = new AbortController();
  const giveUp = (ms) => setTimeout(() => abort.abort(new SetupError(`${url} gave no answer in ${ms / 1000} s`)), ms);
  let timer = giveUp(ANSWER_MS);
  try {
    const response = await fetch(url, { signal: abort.signal });
    clearTimeout(timer);
    if (!response.ok) throw new SetupError(`${url} answered ${response.status} ${response.statusText}`);
    timer = giveUp(DOWNLOAD_MS);
    const md5 = createHash('md5');
    const hashing = new Transform({
      transform(chunk, _encoding, done) {
        md5.update(chunk);
        done(null, chunk);
      },
    });
    await pipeline(response.body, hashing, createWriteStream(`${path}.partial`), { signal: abort.signal });
    verify(url, md5.digest('base64'), response.headers.get('x-goog-hash'));
    renameSync(`${path}.partial`, path);
  } catch (cause) {
    if (cause instanceof SetupError) throw cause;
    throw new SetupError(`${url} cannot be downloaded: ${cause.cause?.message ?? cause.message}`, { cause });
  } finally {
    clearTimeout(timer);
  }
}

/** The host publishes each file's MD5 in the header `x-goog-hash: crc32c=...,md5=...`. */
function verify(url, md5, published) {
  const expected = published?.match(/md5=([\w+/=]+)/)?.[1];
  if (expected && expected !== md5) throw new SetupError(`${url}: MD5 is ${md5}, its publisher says ${expected}`);
}
