import { createCipheriv, createHash } from 'node:crypto';
import type { Prompt } from './prompt-batch.js';

/**
 * `count` draws in [0, 1) that depend on the seed, the prompt and which of its answers this is, and on nothing else: not
 * on the batch. AES-256 in counter mode under a SHA-256 key. Multiples of 2^-23, exact in float32 and below 1.
 */
export function seededUniforms(
  seed: number,
  { ids, drawKey = '' }: Pick<Prompt, 'ids' | 'drawKey'>,
  answer: number,
  count: number,
): Float32Array {
  const key = createHash('sha256')
    .update(`${seed} ${answer} ${drawKey} `)
    .update(new Uint8Array(ids.buffer, ids.byteOffset, ids.byteLength))
    .digest();
  const stream = createCipheriv('aes-256-ctr', key, new Uint8Array(16)).update(new Uint8Array(4 * count));
  return Float32Array.from({ length: count }, (_, i) => (stream.readUInt32LE(4 * i) >>> 9) / 2 ** 23);
}
