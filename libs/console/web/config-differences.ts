import type { RunsRow } from './runs-table.js';

/** The settings in which configurations differ, by their path, each with its value in JSON in every configuration. */
export function differences(configs: readonly unknown[]): RunsRow[] {
  const leaves = configs.map((config) => new Map(leavesOf(config)));
  const paths = new Set(leaves.flatMap((each) => [...each.keys()]));
  return [...paths]
    .map((name) => ({ name, values: leaves.map((each) => each.get(name) ?? '') }))
    .filter(({ values }) => new Set(values).size > 1);
}

function leavesOf(value: unknown, path = ''): [path: string, json: string][] {
  if (typeof value !== 'object' || value === null) return [[path, JSON.stringify(value)]];
  return Object.entries(value).flatMap(([key, inner]) => leavesOf(inner, path === '' ? key : `${path}.${key}`));
}
