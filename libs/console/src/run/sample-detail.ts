import { perCharacter } from '@mpa/alignment';
import type { Annotation, Decision, Signals } from '@mpa/contracts';
import type { RankedText, RationaleStep, SampleDetail } from '../api.js';
import type { Attention } from '../components/attention-map.js';
import { ConsoleError } from './console-error.js';
import type { SampleIndex } from './sample-index.js';
import { rowOf } from './sample-query.js';

/** All that is known of a sample, and where its image lies. Throws ConsoleError `not-found`. */
export async function sampleDetail(
  index: SampleIndex,
  id: string,
): Promise<{ readonly detail: SampleDetail; readonly imageUri: string }> {
  const sample = index.find(id);
  if (!sample) throw new ConsoleError('not-found', `there is no sample ${id}`);
  const record = await index.read(sample);
  const teacher = record.signals;
  const { student, cause, partsAt } = decided(record);
  const detail = {
    ...rowOf(sample),
    imageName: record.image?.path ?? '',
    selfCheck: record.selfCheck,
    detail: cause?.detail ?? '',
    attention: { teacher: attention(teacher), student: attention(student) },
    rationale: rationale(teacher, student),
    partsAt: partsAt ?? null,
    nBest: nBest(teacher, student),
  };
  return { detail, imageUri: record.image?.uri ?? '' };
}

type Decided = { student?: Signals | undefined; cause?: Decision['cause']; partsAt?: number | undefined };

function decided(record: Annotation | Decision): Decided {
  if (!('studentAnswer' in record)) return { cause: record.skipped };
  return { student: record.studentSignals, cause: record.cause, partsAt: record.discrepancies?.partsAt };
}

function attention(signals: Signals | undefined): Attention | undefined {
  return signals?.attention && { grid: signals.attention.grid, cells: signals.attention.cells };
}

function rationale(teacher: Signals | undefined, student: Signals | undefined): RationaleStep[] {
  return (teacher?.rationale ?? []).map(({ text, logProbability }, i) => {
    const same = student?.rationale[i];
    return {
      text,
      teacher: perCharacter(logProbability, text),
      student: same ? perCharacter(same.logProbability, text) : null,
    };
  });
}

function nBest(teacher: Signals | undefined, student: Signals | undefined): RankedText[] {
  return (teacher?.nBest ?? []).map(({ text, probability }) => ({
    text,
    teacher: probability,
    student: student?.nBest.find((other) => other.text === text)?.probability ?? null,
  }));
}
