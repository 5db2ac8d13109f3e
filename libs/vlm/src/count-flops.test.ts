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
});
