import { basename, resolve } from 'node:path';
import { UsageError } from './cli-error.js';

/**
 * Checkpoint folders by label, from `label=folder` or `folder`, which is called by its name. Throws UsageError for a label that is there
 * twice.
 */
export function labelled(given: readonly string[]): ReadonlyMap<string, string> {
  const models = new Map<string, string>();
  for (const one of given) {
    const [, label = basename(resolve(one)), folder = one] = /^([^=/]+)=(.+)$/.exec(one) ?? [];
    if (models.has(label)) throw new UsageError(`--model: two are called ${label}; give them as label=folder`);
    models.set(label, resolve(folder));
  }
  return models;
}
