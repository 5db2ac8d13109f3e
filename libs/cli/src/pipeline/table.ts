import { duration, type PerModel, type Summary } from '@mpa/console';
import { usageWords } from './teacher-usage.js';

/** A term that adds less than this share of the answer's cross-entropy hardly changes what is learnt. */
const SMALL = 0.01;

/** A run's summary as lines for a terminal. */
export function table(summary: Summary): string[] {
  const { train, eval: tasks, speed } = summary;
  const lines = [
    `run        ${summary.run}`,
    `images     ${summary.images}`,
    `annotated  ${summary.annotated}${reasons('skipped', summary.skipped)}`,
    `selected   ${summary.selected}${selectedBy(summary)}${reasons('rejected', summary.rejected)}`,
    ...signals(summary),
    ...teacher(summary),
    train.firstLoss === null || train.lastLoss === null
      ? 'training   none: no sample was selected'
      : `training   ${train.steps} steps, loss ${train.firstLoss.toFixed(3)} -> ${train.lastLoss.toFixed(3)}`,
    ...Object.entries(train.terms).map(([name, { first, last, share }]) => {
      const size = `${(share * 100).toPrecision(2)} % of the answer's at first`;
      const note = share < SMALL ? `, too small to matter: raise its coefficient` : '';
      return `${''.padEnd(11)}${name} ${first.toFixed(3)} -> ${last.toFixed(3)}, weighted ${size}${note}`;
    }),
  ];
  const names = Object.keys(tasks);
  if (names.length > 0) {
    lines.push('', row('accuracy', 'before', 'after', 'teacher', 'n'));
    for (const name of names) lines.push(accuracyRow(name, tasks[name]!, String(tasks[name]!.n)));
    if (names.length > 1) lines.push(accuracyRow('mean', meanAccuracy(summary), ''));
    lines.push(row('answers/s', ...[speed.before, speed.after, speed.teacher].map((n) => n?.toFixed(1) ?? '-'), ''));
  }
  return [...lines, '', `time       ${duration(summary.seconds)}`];
}

function signals(summary: Summary): string[] {
  const lines = Object.entries(summary.signals).map(([kind, { share, bytesPerRecord }]) => {
    const name = kind.replaceAll('_', ' ');
    return `${name}: ${(share * 100).toFixed(1)} % of the L-VLM's time, ${Math.round(bytesPerRecord)} bytes a record`;
  });
  return lines.map((line, i) => `${i === 0 ? 'signals' : ''.padEnd(7)}    ${line}`);
}

function teacher({ teacher: used }: Summary): string[] {
  if (!used) return [];
  const stages = Object.entries(used.stages).map(
    ([purpose, usage]) => `${''.padEnd(11)}${purpose.replaceAll('_', ' ')}: ${usageWords(usage)}`,
  );
  const missing = Object.entries(used.missingSignals).map(([kind, n]) => `${kind.replaceAll('_', ' ')} in ${n}`);
  return [
    `teacher    ${usageWords(used.total)}`,
    ...stages,
    ...(missing.length > 0 ? [`${''.padEnd(11)}signals it could not give: ${missing.join(', ')} annotations`] : []),
  ];
}

/** The unweighted mean of the tasks' accuracies. */
export function meanAccuracy({ eval: tasks }: Pick<Summary, 'eval'>): PerModel {
  const all = Object.values(tasks);
  const mean = (of: (task: PerModel) => number): number => all.reduce((sum, task) => sum + of(task), 0) / all.length;
  const taught = all.every(({ teacher }) => teacher !== null);
  return {
    before: mean(({ before }) => before),
    after: mean(({ after }) => after),
    teacher: taught ? mean(({ teacher }) => teacher!) : null,
  };
}

function accuracyRow(name: string, { before, after, teacher }: PerModel, n: string): string {
  return row(
    name,
    ...[before, after, teacher].map((share) => (share === null ? '-' : `${(share * 100).toFixed(1)} %`)),
    n,
  );
}

function row(first: string, ...cells: string[]): string {
  return (first.padEnd(11) + cells.map((cell) => cell.padStart(9)).join('')).trimEnd();
}

/** Says nothing where the S-VLM differs in all that is selected. */
function selectedBy({ selectedBy }: Summary): string {
  const all = Object.entries(selectedBy).map(([reason, n]) => `${reason} ${n}`);
  return all.length > 1 ? ` (${all.join(', ')})` : '';
}

function reasons(word: string, counts: Readonly<Record<string, number>>): string {
  const all = Object.entries(counts).map(([reason, n]) => `${reason} ${n}`);
  return all.length > 0 ? `, ${word}: ${all.join(', ')}` : '';
}
