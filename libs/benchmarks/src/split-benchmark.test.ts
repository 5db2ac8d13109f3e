import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BenchmarkError } from './benchmark-error.js';
import { splitAnnotations } from './split-benchmark.js';

const options = { share: 0.15, seed: 1, file: 'all.json' };
const data = Array.from({ length: 200 }, (_, i) => ({
  question_id: i,
  image_id: `image-${i % 100}`,
  question: `${i}?`,
}));

describe('splitAnnotations', () => {
  it('keeps 15 of 100 images apart, with all their questions, and nothing is lost', () => {
    const { train, test, images } = splitAnnotations({ dataset_name: 'textvqa', data }, options);
    expect(images).toEqual({ train: 85, test: 15 });
    const [kept, held] = [train, test].map((part) => (part as { data: typeof data }).data);
    expect(train).toMatchObject({ dataset_name: 'textvqa' });
    expect(held).toHaveLength(30);
    const heldImages = new Set(held!.map(({ image_id }) => image_id));
    expect(kept!.some(({ image_id }) => heldImages.has(image_id))).toBe(false);
    expect([...kept!, ...held!].sort((a, b) => a.question_id - b.question_id)).toEqual(data);
  });

  it('chooses the same images whatever the order, and others by another seed', () => {
    const heldOf = (records: typeof data, seed = 1): string[] => {
      const { test } = splitAnnotations(records, { ...options, seed });
      return [...new Set((test as typeof data).map(({ image_id }) => image_id))].sort();
    };
    expect(heldOf(data.toReversed())).toEqual(heldOf(data));
    expect(heldOf(data, 2)).not.toEqual(heldOf(data));
  });

  it('splits every schema by its name of an image', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('image_id', 'file_path', 'imgname', 'image'),
        fc.uniqueArray(fc.string()),
        (key, names) => {
          const records = names.map((name) => ({ [key]: name }));
          const { images } = splitAnnotations({ annotations: records }, options);
          return images.test === Math.round(0.15 * names.length) && images.train + images.test === names.length;
        },
      ),
    );
  });

  it('refuses what is no benchmark', () => {
    expect(() => splitAnnotations({ rows: [] }, options)).toThrow(BenchmarkError);
    expect(() => splitAnnotations([{ picture: 1 }], options)).toThrow(/names no image/);
  });
});
