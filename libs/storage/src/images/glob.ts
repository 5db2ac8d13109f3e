import { Minimatch } from 'minimatch';

/** A glob, split at the first part that holds magic. */
export interface Glob {
  /** The parts before, with forward slashes, without the last one. */
  readonly root: string;
  /** Whether a path below the root fits; with `partial`, whether something below that path may. */
  fits(path: string, partial?: boolean): boolean;
}

/** Splits a glob with forward slashes; undefined for a path without magic. */
export function splitGlob(path: string): Glob | undefined {
  const parts = path.split('/');
  const magic = parts.findIndex((part) => new Minimatch(part).hasMagic() || part.includes('{'));
  if (magic < 0) return undefined;
  const pattern = new Minimatch(parts.slice(magic).join('/'));
  return { root: parts.slice(0, magic).join('/'), fits: (file, partial) => pattern.match(file, partial) };
}
