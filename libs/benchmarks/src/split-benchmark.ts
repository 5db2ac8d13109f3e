import { createHash } from 'node:crypto';
import { BenchmarkError } from './benchmark-error.js';

/** The two parts of a benchmark's annotations, in its own schema. */
export interface SplitAnnotations {
  readonly train: unknown;
  readonly test: unknown;
  /** Images of each part. */
  readonly images: { readonly train: number; readonly test: number };
}

/** Where the schemas keep their records, and how a record names its image. */
const LISTS = ['data', 'annotations', 'questions'] as const;
const IMAGE_KEYS = ['image_id', 'file_path', 'imgname', 'image'] as const;

/**
 * Splits a benchmark's annotations by their images, so that none is in both parts: `share` of the images, those whose hash with the
 * seed is smallest, make the test part. The same images are chosen whatever the order of the file, and from the two files of OK-VQA alike.
 * Records stay as they are. Throws BenchmarkError for JSON of another form.
 */
export function splitAnnotations(
  json: unknown,
  { share, seed, file }: { readonly share: number; readonly seed: number; readonly file: string },
): SplitAnnotations {
  const { records, wrap } = recordsOf(json, file);
  const imageOf = (record: unknown): string => {
    const key = IMAGE_KEYS.find((name) => isObject(record) && name in record);
    if (key === undefined) throw new BenchmarkError(`${file}: a record names no image (${IMAGE_KEYS.join(', ')}); is this a benchmark's file?`, file); // prettier-ignore
    return String((record as Record<string, unknown>)[key]);
  };
  const images = [...new Set(records.map(imageOf))];
  const order = new Map(images.map((image) => [image, createHash('sha256').update(`${seed} ${image}`).digest('hex')]));
  const sorted = images.sort((a, b) => (order.get(a)! < order.get(b)! ? -1 : 1));
  const test = new Set(sorted.slice(0, Math.round(share * sorted.length)));
  return {
    train: wrap(records.filter((record) => !test.has(imageOf(record)))),
    test: wrap(records.filter((record) => test.has(imageOf(record)))),
    images: { train: images.length - test.size, test: test.size },
  };
}

function recordsOf(json: unknown, file: string): { records: unknown[]; wrap: (records: unknown[]) => unknown } {
  if (Array.isArray(json)) return { records: json, wrap: (records) => records };
  const name = LISTS.find((list) => isObject(json) && Array.isArray(json[list]));
  if (name === undefined) throw new BenchmarkError(`${file} has no list of records; is this a benchmark's file?`, file);
  const whole = json as Record<string, unknown[]>;
  return { records: whole[name]!, wrap: (records) => ({ ...whole, [name]: records }) };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
