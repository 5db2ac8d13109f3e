import { InvalidArgumentError } from 'commander';

/** Reads a whole number of at least `minimum` from a flag. */
export function wholeNumber(minimum: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= minimum) return value;
    throw new InvalidArgumentError(`Give a whole number of at least ${minimum}.`);
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
