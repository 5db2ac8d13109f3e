import { readFileSync } from 'node:fs';
import type { SoakCosts } from '../soak/soak-costs.js';

/** Measured costs. */
export type Costs = SoakCosts;

/** The costs of a million images on Kafka, measured by `npm run soak -- --costs FILE`. */
export function readCosts(file: string): Costs {
  return JSON.parse(readFileSync(file, 'utf8')) as Costs;
}
