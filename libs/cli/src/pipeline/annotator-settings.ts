import { annotatorConfig, type AnnotatorConfig } from '@mpa/annotator';
import type { EndpointConfig } from '@mpa/inference';
import { checkConfig } from '@mpa/service-kit';
import type { PipelineOptions } from './pipeline-options.js';

/** Raw settings of a service. */
export type Settings = Record<string, unknown>;

type WithTeacher = Pick<PipelineOptions, 'teacher' | 'endpoint' | 'config'>;

/** The annotator's settings with the L-VLM of a run: a checkpoint, or an endpoint, whose budget is the flags' before the file's. */
export function annotatorSettings({ teacher, endpoint, config: { annotator } }: WithTeacher, cacheDir = ''): Settings {
  if (!endpoint) return { ...annotator, model: { cacheDir, ...objectAt(annotator, 'model'), checkpoint: teacher } };
  const settings = objectAt(annotator, 'endpoint');
  const { model, keyVariable, budget } = endpoint;
  const given = { url: teacher, model, ...(keyVariable !== undefined && { keyVariable }) };
  return { ...annotator, endpoint: { ...settings, ...given, budget: { ...objectAt(settings, 'budget'), ...budget } } };
}

/** The evaluator's settings of the L-VLM's endpoint: the annotator's, apart from the budget, which is for annotating. */
export function evaluatorEndpoint(options: WithTeacher): Settings {
  if (!options.endpoint) return {};
  const { keyVariable, images, traffic } = objectAt(annotatorSettings(options), 'endpoint');
  return Object.fromEntries(
    Object.entries({ keyVariable, images, traffic }).filter(([, value]) => value !== undefined),
  );
}

/** The annotator's settings, checked, with all defaults. Throws ConfigError. */
export function annotatorOf(options: WithTeacher): AnnotatorConfig {
  return checkConfig(annotatorSettings(options), annotatorConfig, 'configuration of annotator');
}

/** What tokens of the run's L-VLM cost, if that was said. Throws ConfigError. */
export function pricesOf(options: WithTeacher): EndpointConfig['prices'] {
  return options.endpoint && annotatorOf(options).endpoint?.prices;
}

/** Settings without what may change while a run goes on: it bears on what is spent, and how fast, not on what is said. */
export function settledSettings(annotator: Settings): Settings {
  if (annotator['endpoint'] === undefined) return annotator;
  const settled = { ...objectAt(annotator, 'endpoint') };
  for (const key of ['budget', 'prices', 'traffic', 'keyVariable']) delete settled[key];
  return { ...annotator, endpoint: settled };
}

function objectAt(settings: Settings, key: string): Settings {
  return (settings[key] ?? {}) as Settings;
}
