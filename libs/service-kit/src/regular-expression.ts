import { z } from 'zod';

/** A configuration value that is the source of a regular expression, not empty. */
export const regularExpression = z.string().min(1).refine(isRegExp, 'must be a regular expression');

function isRegExp(text: string): boolean {
  try {
    return new RegExp(text).source !== '';
  } catch {
    return false;
  }
}
