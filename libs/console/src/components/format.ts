import type { Estimate } from './estimate.js';

/** A share as per cent with one decimal, without the sign. */
export function percent(share: number): string {
  return (share * 100).toFixed(1);
}

/** A part of a whole in whole per cent. */
export function wholePercent(part: number, all: number): string {
  return `${all === 0 ? 0 : Math.round((100 * part) / all)} %`;
}

/** A change of a share in points, with its sign. */
export function points(change: number): string {
  const text = percent(change);
  return change < 0 ? text.replace('-', '−') : `+${text}`;
}

/** An interval of shares in per cent. */
export function interval({ low, high }: Estimate, format: (share: number) => string = percent): string {
  return `${format(low)} to ${format(high)}`;
}

/** A whole number with its thousands apart. */
export function count(value: number): string {
  return value.toLocaleString('en');
}

/** A name of the records as words. */
export function words(name: string): string {
  return name.replaceAll(/[_-]/g, ' ');
}
