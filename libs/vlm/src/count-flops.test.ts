import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { describeCheckpoint } from './checkpoint.js';
import { countFlops } from './count-flops.js';
import type { AnswerSize } from './count-flops.js';

const oracle = fileURLToPath(new URL('../../../test/fixtures/vlm/smolvlm-a/', import.meta.url));

describe('countFlops', () => {
  it("counts what PyTorch's FlopCounterMode counts of transformers", async () => {
    const checkpoint = await describeCheckpoint(oracle);
    // torch 2.13, transformers 5: get_image_features of one tile; a prompt of 60 tokens with logits_to_keep=1; five cached steps.
    const tiles = (count: number): AnswerSize['image'] => ({
      vision: {
        pixels: { data: new Float32Array(), shape: [count, 3, 32, 32] },
        positionIds: { data: new Int32Array(), shape: [count, 16] },
      },
    });
    const flops = countFlops(checkpoint, { image: tiles(1), promptTokens: 60, answerTokens: 6 });
    expect(flops).toEqual({ vision: 1_671_168, prefill: 16_107_520, decode: 1_706_240 });
    const ten = countFlops(checkpoint, { image: tiles(10), promptTokens: 60, answerTokens: 6 });
    expect(ten).toEqual({ ...flops, vision: 16_711_680 });
  });

  // The same of get_image_features of an image of 90 x 50, 6 x 12 patches; the second in windows, smaller ones at the edges.
  it.each([
    ['qwen2_vl-a', { vision: 7_520_256, prefill: 16_104_192, decode: 1_689_600 }],
    ['qwen2_5_vl-a', { vision: 8_318_976, prefill: 16_104_192, decode: 1_689_600 }],
  ])('counts the patches of an image of any size: %s', async (name, expected) => {
    const checkpoint = await describeCheckpoint(fileURLToPath(new URL(`../../../test/fixtures/vlm/${name}/`, import.meta.url))); // prettier-ignore
    const image = checkpoint.processor.image({ width: 90, height: 50, data: new Uint8Array(3 * 90 * 50) });
    expect(countFlops(checkpoint, { image, promptTokens: 60, answerTokens: 6 })).toEqual(expected);
  });
});
