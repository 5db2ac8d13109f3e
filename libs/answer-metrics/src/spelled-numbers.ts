const units = 'zero one two three four five six seven eight nine'.split(' ');
const teens = 'ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen'.split(' ');
const tens = 'twenty thirty forty fifty sixty seventy eighty ninety'.split(' ');

const values = new Map([
  ...[...units, ...teens].map((word, value): [string, number] => [word, value]),
  ...tens.map((word, index): [string, number] => [word, 20 + 10 * index]),
]).set('none', 0);

const scales = new Map([
  ['thousand', 1e3],
  ['k', 1e3],
  ['million', 1e6],
  ['mn', 1e6],
  ['m', 1e6],
  ['billion', 1e9],
  ['bn', 1e9],
  ['b', 1e9],
  ['trillion', 1e12],
]);

const plainNumber = /^-?\d*\.?\d+$/;
// Beyond 15 digits a double would make digits up.
const exactDigits = 15;

/** Words in which numbers up to ninety-nine, and their multiples "5 million" and "5k", are written in digits. */
export function spelledNumbers(words: readonly string[]): string[] {
  const out: string[] = [];
  for (const [index, word] of words.entries()) {
    const previous = out.at(-1) ?? '';
    const scale = scales.get(word);
    if (scale !== undefined && plainNumber.test(previous) && previous.length <= exactDigits) {
      out[out.length - 1] = decimal(Number(previous) * scale);
    } else if (units.indexOf(word) > 0 && tens.includes(words[index - 1] ?? '')) {
      out[out.length - 1] = String(Number(previous) + units.indexOf(word));
    } else {
      out.push(values.get(word)?.toString() ?? word);
    }
  }
  return out;
}

// 2.3 million is 2299999.9999999995 in doubles.
function decimal(value: number): string {
  return Number(value.toPrecision(exactDigits)).toLocaleString('en', {
    useGrouping: false,
    maximumFractionDigits: exactDigits,
  });
}
