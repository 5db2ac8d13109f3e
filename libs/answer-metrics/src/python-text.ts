// The official metrics are Python programs. Python's notions of white space, words and numbers differ from
// JavaScript's in characters that real answers contain, so they are spelled out here.

// str.isspace: unlike \s it has U+001C to U+001F and U+0085, and lacks U+FEFF.
const space = String.raw`\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000`;
const ends = new RegExp(`^[${space}]+|[${space}]+$`, 'gu');
const gaps = new RegExp(`[${space}]+`, 'u');
// float() knows fewer: not U+001C to U+001F.
const numberEnds = new RegExp(`^(?:(?![\\x1c-\\x1f])[${space}])+|(?:(?![\\x1c-\\x1f])[${space}])+$`, 'gu');

const digits = String.raw`\d+(?:_\d+)*`;
const decimal = new RegExp(`^[+-]?(?:${digits}\\.?(?:${digits})?|\\.${digits})(?:e[+-]?${digits})?$`, 'i');
const infinity = /^([+-]?)inf(?:inity)?$/i;
const notANumber = /^[+-]?nan$/i;

/** `str.strip()`. */
export function strip(text: string): string {
  return text.replace(ends, '');
}

/** `str.split()`: the words between runs of white space. */
export function split(text: string): string[] {
  return text.split(gaps).filter((word) => word !== '');
}

/**
 * `float(text)`, or null where Python raises ValueError. Other than `Number`, it takes `1_000`, `inf`, `nan` and the
 * decimal digits of every script, and refuses the empty string, hexadecimal and binary.
 */
export function pythonFloat(text: string): number | null {
  const literal = text.replace(numberEnds, '').replace(/\p{Nd}/gu, (digit) => String(digitValue(digit)));
  if (decimal.test(literal)) return Number(literal.replaceAll('_', ''));
  const sign = infinity.exec(literal)?.[1];
  if (sign !== undefined) return sign === '-' ? -Infinity : Infinity;
  return notANumber.test(literal) ? NaN : null;
}

// Unicode lays decimal digits out in runs from 0 to 9, so a digit's place in its run is its value.
function digitValue(digit: string): number {
  const code = digit.codePointAt(0)!;
  let first = code;
  while (/^\p{Nd}$/u.test(String.fromCodePoint(first - 1))) first--;
  return (code - first) % 10;
}
