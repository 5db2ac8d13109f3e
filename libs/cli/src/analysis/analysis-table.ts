import { measures, type Analysis, type Histogram, type Levelling } from '@mpa/console';

/** Kinds of questions listed. */
const LISTED = 15;
const BLOCKS = ' ▁▂▃▄▅▆▇█';

/** An analysis as lines for a terminal. */
export function analysisTable(analysis: Analysis, levelling: Levelling | undefined): string[] {
  const { decided, gap, histograms, kinds, partsAt } = analysis;
  const lines = [`decided    ${decided}, of which ${gap} (${percent(gap, decided)}) show the gap`];
  const measured = measures.filter((measure) => histograms[measure]);
  if (measured.length === 0) {
    lines.push('The annotations hold no signals to compare: see `signals` in the annotator’s configuration.');
  } else {
    lines.push('', 'discrepancy  0 to 1        mean   samples');
    for (const measure of measured) lines.push(histogramRow(measure, histograms[measure]!));
  }
  const steps = Object.entries(partsAt);
  if (steps.length > 0) {
    const all = steps.reduce((sum, [, n]) => sum + n, 0);
    const words = steps.map(([step, n]) => `${step === 'never' ? step : `step ${step}`} ${percent(n, all)}`);
    lines.push('', `the S-VLM parts from the rationale at: ${words.join(', ')}`);
  }
  lines.push('', `${'question'.padEnd(30)}${'asked'.padStart(7)}${'gap'.padStart(8)}`);
  for (const { task, kind, asked, gap: ofKind } of kinds.slice(0, LISTED)) {
    lines.push(`${`${task} ${kind} ...`.padEnd(30)}${String(asked).padStart(7)}${percent(ofKind, asked).padStart(8)}`);
  }
  if (levelling) lines.push('', ...levellingRows(levelling));
  return lines;
}

function histogramRow(measure: string, { counts, mean, samples }: Histogram): string {
  const most = Math.max(...counts);
  const bars = counts.map((n) => BLOCKS[Math.ceil((n / most) * (BLOCKS.length - 1))]).join('');
  return `${measure.padEnd(12)} ${bars}    ${mean.toFixed(3)} ${String(samples).padStart(9)}`;
}

function levellingRows({ samples, nowRight, means }: Levelling): string[] {
  const rows = Object.entries(means).map(
    ([measure, { before, after }]) =>
      `${measure.padEnd(12)}${before.toFixed(3).padStart(8)}${after.toFixed(3).padStart(8)}`,
  );
  return [
    `of ${samples} samples that show the gap, the levelled S-VLM answers ${nowRight} (${percent(nowRight, samples)}) as the L-VLM does`,
    ...(rows.length > 0 ? [`${'mean'.padEnd(12)}${'before'.padStart(8)}${'after'.padStart(8)}`, ...rows] : []),
  ];
}

const percent = (part: number, all: number): string => `${all === 0 ? 0 : Math.round((100 * part) / all)} %`;
