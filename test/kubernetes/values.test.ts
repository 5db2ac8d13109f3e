import { readFileSync } from 'node:fs';
import { join } from 'node:path';
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

it('names a value that the chart does not have', () => {
  const values = merged(valuesOf('values.yaml'), { annotator: { replica: 2 } });
  expect(schema.safeParse(values).error?.issues).toMatchObject([{ keys: ['replica'], path: ['annotator'] }]);
});
