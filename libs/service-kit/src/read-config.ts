import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import type { z } from 'zod';
import { ConfigError } from './config-error.js';

/**
 * Reads a configuration file, YAML or JSON, into a frozen value of `schema`. An empty file is an empty object.
 * Throws ConfigError when the file cannot be read or parsed, or naming each key that is unknown or has a wrong value.
 */
export async function readConfig<S extends z.ZodType>(file: string, schema: S): Promise<z.output<S>> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new ConfigError(`cannot read the configuration ${file}: ${(cause as Error).message}`, { cause });
  }
  let raw: unknown;
  try {
    raw = parse(text) ?? {};
  } catch (cause) {
    throw new ConfigError(`${file} is neither YAML nor JSON: ${(cause as Error).message}`, { cause });
  }
  return checkConfig(raw, schema, file);
}

/** The same for a value that is already there; `source` says where it came from. */
export function checkConfig<S extends z.ZodType>(raw: unknown, schema: S, source: string): z.output<S> {
  const result = schema.safeParse(raw);
  if (result.success) return deepFreeze(result.data);
  const problems = result.error.issues.map((issue) => describe(issue)).join('; ');
  throw new ConfigError(`${source}: ${problems}`, { cause: result.error });
}

function describe(issue: z.core.$ZodIssue): string {
  const where = issue.path.join('.');
  if (issue.code !== 'unrecognized_keys') return `${where === '' ? 'the configuration' : where}: ${issue.message}`;
  const keys = issue.keys.map((key) => (where === '' ? key : `${where}.${key}`));
  return `unknown key ${keys.join(', ')}; remove it or correct its spelling`;
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}
