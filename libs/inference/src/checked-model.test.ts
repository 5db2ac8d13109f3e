import type { Generated, ImageFeatures, Prompt, Scored } from '@mpa/onnx';
import type { ImageInput } from '@mpa/vlm';
import { beforeEach, describe, expect, it } from 'vitest';
import { CheckedModel } from './checked-model.js';
import { TeacherError } from './teacher.js';

const image = (tokens: number): ImageInput => ({ tokens }) as ImageInput;
const prompt = (...ids: number[]): Prompt => ({ ids: Int32Array.from(ids), images: [] });
const options = { maxNewTokens: 4 };

/** What the device cannot do: nothing, images of many tokens, or anything. */
let fails: 'never' | 'large' | 'always';
let asked: string[];
let told: TeacherError[];

function refuse(isLarge: boolean): void {
  if (fails === 'always') throw new Error('CUDA failure 719');
  if (fails === 'large' && isLarge) throw new Error('out of memory');
}

const device = {
  async encodeImage(images: readonly ImageInput[]): Promise<ImageFeatures[]> {
    asked.push(`encode ${images.map(({ tokens }) => tokens).join()}`);
    refuse(images.some(({ tokens }) => tokens > 9));
    return images.map(({ tokens }) => ({ tokens, values: new Float32Array(0) }));
  },
  async generate(prompts: readonly Prompt[]): Promise<Generated[][]> {
    asked.push(`generate ${prompts.map(({ ids }) => ids.join('-')).join()}`);
    refuse(prompts.some(({ ids }) => ids.length > 9));
    return prompts.map(() => []);
  },
  async score(): Promise<Scored[]> {
    refuse(false);
    return [];
  },
  async close(): Promise<void> {
    fails = 'always';
  },
};

let model: CheckedModel;
beforeEach(() => {
  [fails, asked, told] = ['never', [], []];
  model = new CheckedModel('tiny', device, (error) => void told.push(error));
});

async function work(): Promise<void> {
  await model.encodeImage([image(1), image(2)]);
  await model.generate([prompt(5, 6), prompt(7)], options);
  asked = [];
}

describe('a model that fails', () => {
  it('at one image and not at what it did before throws the failure, and goes on', async () => {
    await work();
    fails = 'large';
    await expect(model.encodeImage([image(10)])).rejects.toThrow('out of memory');
    expect(asked).toEqual(['encode 10', 'encode 1', 'generate 5-6']);
    await expect(model.generate([prompt(...new Array<number>(10).fill(0))], options)).rejects.toThrow('out of memory');
    await expect(model.encodeImage([image(3)])).resolves.toHaveLength(1);
    expect(told).toEqual([]);
  });

  it.each(['encodeImage', 'generate', 'score'] as const)(
    'at %s and at what it did before is broken for good',
    async (kind) => {
      await work();
      fails = 'always';
      const calls = {
        encodeImage: () => model.encodeImage([image(3)]),
        generate: () => model.generate([prompt(1)], options),
        score: () => model.score([]),
      };
      const error = await calls[kind]().then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      expect(error).toBeInstanceOf(TeacherError);
      expect(error).toMatchObject({
        kind: 'broken',
        message:
          'the model tiny does not work: it fails at what it could do before (CUDA failure 719); a new process goes on from here',
      });
      expect(told).toEqual([error]);
      fails = 'never';
      asked = [];
      for (const call of Object.values(calls)) await expect(call()).rejects.toBe(error);
      expect([asked, told]).toEqual([[], [error]]);
    },
  );

  it('at several calls at once is tried once, and all of them are told', async () => {
    await work();
    fails = 'always';
    const calls = await Promise.allSettled([model.encodeImage([image(3)]), model.encodeImage([image(4)])]);
    expect(calls.map((call) => call.status === 'rejected' && (call.reason as TeacherError).kind)).toEqual(['broken', 'broken']); // prettier-ignore
    expect(asked).toEqual(['encode 3', 'encode 4', 'encode 1']);
    expect(told).toHaveLength(1);
  });

  it('before it did anything is broken', async () => {
    fails = 'always';
    await expect(model.encodeImage([image(1)])).rejects.toThrow(/fails at a first small question \(CUDA failure 719\)/);
    expect(told).toHaveLength(1);
  });

  it('because it was closed is not broken', async () => {
    await work();
    await model.close();
    await expect(model.encodeImage([image(1)])).rejects.toThrow('CUDA failure 719');
    expect(told).toEqual([]);
  });
});
