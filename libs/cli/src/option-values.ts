import { InvalidArgumentError } from 'commander';

/** Reads a whole number from `minimum` to `maximum` from a flag. */
export function wholeNumber(minimum: number, maximum: number = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= minimum && value <= maximum) return value;
    throw new InvalidArgumentError(
      maximum === Number.MAX_SAFE_INTEGER
        ? `Give a whole number of at least ${minimum}.`
        : `Give a whole number from ${minimum} to ${maximum}.`,
    );
  };
}

/** Reads a number from `minimum` to `maximum` from a flag. */
export function numberBetween(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== '' && value >= minimum && value <= maximum) return value;
    throw new InvalidArgumentError(
      maximum === Infinity ? `Give a number of at least ${minimum}.` : `Give a number from ${minimum} to ${maximum}.`,
    );
  };
}
