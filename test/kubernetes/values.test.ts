import { readdirSync, readFileSync, realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { annotator } from '@mpa/annotator';
import { evaluator } from '@mpa/evaluator';
import { parity } from '@mpa/parity';
import { imageAccess, serverConfig, type Service } from '@mpa/service-kit';
import { kafkaOptions } from '@mpa/streams';
import { trainer } from '@mpa/trainer';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';

type Values = Readonly<Record<string, unknown>>;

const CHART = join(import.meta.dirname, '../../deploy/helm/mpa');
const PROMETHEUS = resolve(CHART, '../../prometheus');
const read = (name: string): string => readFileSync(join(CHART, name), 'utf8');
const valuesOf = (name: string): Values => parse(read(name), { merge: true }) as Values;
const isObject = (value: unknown): value is Values =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What Helm makes of the chart's values and a file's. */
function merged(values: Values, over: Values): Values {
  const both = Object.entries(over).map(([key, value]): [string, unknown] => {
    const below = values[key];
    return [key, isObject(value) && isObject(below) ? merged(below, value) : value];
  });
  return { ...values, ...Object.fromEntries(both) };
}

interface Schema {
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly definitions?: Readonly<Record<string, Schema>>;
}

/** The values that a schema lets be anything, by not naming them. */
function undescribed(root: Schema, values: Values, at: Schema = root, path = ''): string[] {
  const { properties } = at.$ref === undefined ? at : root.definitions![at.$ref.split('/').at(-1)!]!;
  return Object.entries(values).flatMap(([key, value]) => {
    const below = properties?.[key];
    if (below === undefined) return [`${path}${key}`];
    return isObject(value) && Object.keys(value).length > 0 ? undescribed(root, value, below, `${path}${key}.`) : [];
  });
}

const schema = z.fromJSONSchema(JSON.parse(read('values.schema.json')) as Parameters<typeof z.fromJSONSchema>[0]);
const services: readonly Service<z.ZodObject>[] = [annotator, parity, trainer, evaluator];

describe.each(['values.yaml', 'values-laptop.yaml', 'values-gpu-fleet.yaml'])('%s', (file) => {
  const values = merged(valuesOf('values.yaml'), valuesOf(file));

  it('has the values that the schema describes', () => {
    expect(schema.safeParse(values).error?.issues).toBeUndefined();
  });

  it.each(services)('gives $name only keys that it has', ({ name, config }) => {
    const { config: own } = values[name] as { config: Values };
    expect(
      z
        .strictObject({ ...serverConfig.shape, ...config.shape })
        .partial()
        .safeParse(own).error,
    ).toBeUndefined();
  });

  it('gives all of them only keys of Kafka and images that they have', () => {
    expect(kafkaOptions.safeParse((values['kafka'] as Values)['config']).error).toBeUndefined();
    expect(imageAccess.safeParse(values['images']).error).toBeUndefined();
  });
});

it.each([
  [{ run: { student: 'models/small' } }, ['run', 'student']],
  [{ run: { images: 'gs://corpus/photos' } }, ['run', 'images']],
  [{ run: { imageRoots: ['photos'] } }, ['run', 'imageRoots', 0]],
  [{ metrics: { podMonitor: { labels: { release: 1 } } } }, ['metrics', 'podMonitor', 'labels', 'release']],
  [{ priorityClasses: { work: 1000 } }, ['priorityClasses']],
])('refuses %j', (over, path) => {
  expect(schema.safeParse(merged(valuesOf('values.yaml'), over)).error?.issues).toMatchObject([{ path }]);
});

it('describes every value, down to what is handed on', () => {
  expect(undescribed(JSON.parse(read('values.schema.json')) as Schema, valuesOf('values.yaml'))).toEqual([]);
});

it('has the rules of deploy/prometheus, and no copy of them', () => {
  const { rule_files: files } = parse(readFileSync(join(PROMETHEUS, 'prometheus.yml'), 'utf8')) as {
    rule_files: string[];
  };
  expect(readdirSync(join(CHART, 'prometheus')).sort()).toEqual([...files].sort());
  for (const file of files) expect(realpathSync(join(CHART, 'prometheus', file))).toBe(join(PROMETHEUS, file));
});

it('names a value that the chart does not have', () => {
  const values = merged(valuesOf('values.yaml'), { annotator: { replica: 2 } });
  expect(schema.safeParse(values).error?.issues).toMatchObject([{ keys: ['replica'], path: ['annotator'] }]);
});
