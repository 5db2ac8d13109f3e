import { basename, resolve } from 'node:path';
import { endpointNamed, isEndpoint } from '@mpa/inference';
import { UsageError } from './cli-error.js';

/**
 * Checkpoint folders by label, from `label=folder` or `folder`, which is called by its name; so with `URL#MODEL`. Throws UsageError for a label that is there
 * twice.
 */
export function labelled(given: readonly string[]): ReadonlyMap<string, string> {
  const models = new Map<string, string>();
  for (const one of given) {
    const [, named, folder = one] = /^([^=/]+)=(.+)$/.exec(one) ?? [];
    const label = named ?? basename(isEndpoint(one) ? endpointNamed(one).model : resolve(one));
    if (models.has(label)) throw new UsageError(`--model: two are called ${label}; give them as label=folder`);
    models.set(label, isEndpoint(folder) ? folder : resolve(folder));
  }
  return models;
}
