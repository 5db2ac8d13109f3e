import { fileWriter, ParquetWriter } from 'hyparquet-writer';
import type { Signals } from '@mpa/contracts';
import type { ExportedSample } from './exported-sample.js';
import type { RowFile } from './row-files.js';

/** Rows kept in memory, and written as one row group. */
const GROUP = 1000;

type ColumnType = 'STRING' | 'JSON' | 'DOUBLE' | 'INT32';

/** A column: its type, and what it holds of a sample; null for nothing. */
type Column = readonly [type: ColumnType, of: (sample: ExportedSample) => unknown];

const COLUMNS: Readonly<Record<string, Column>> = {
  id: ['STRING', ({ id }) => id],
  task: ['STRING', ({ task }) => task],
  image: ['STRING', ({ image }) => image],
  decision: ['STRING', ({ decision }) => decision],
  reason: ['STRING', ({ reason }) => reason],
  question: ['STRING', ({ question }) => question],
  answer: ['STRING', ({ answer }) => answer],
  self_check: ['STRING', ({ selfCheck }) => selfCheck],
  student_answer: ['STRING', ({ studentAnswer }) => studentAnswer],
  weight: ['DOUBLE', ({ weight }) => weight],
  ...signalColumns('teacher', ({ signals }) => signals),
  ...signalColumns('student', ({ studentSignals }) => studentSignals),
  discrepancy_answer: ['DOUBLE', ({ discrepancies: d }) => d?.answer],
  discrepancy_confidence: ['DOUBLE', ({ discrepancies: d }) => d?.confidence],
  discrepancy_answer_gap: ['DOUBLE', ({ discrepancies: d }) => d?.answerGap],
  discrepancy_n_best: ['DOUBLE', ({ discrepancies: d }) => d?.nBest],
  discrepancy_attention: ['DOUBLE', ({ discrepancies: d }) => d?.attention],
  discrepancy_reasoning: ['DOUBLE', ({ discrepancies: d }) => d?.reasoning],
  reasoning_parts_at: ['INT32', ({ discrepancies: d }) => d?.partsAt],
};

function signalColumns(
  model: 'teacher' | 'student',
  of: (sample: ExportedSample) => Signals | undefined,
): Record<string, Column> {
  return {
    [`${model}_log_probability_per_character`]: ['DOUBLE', (sample) => of(sample)?.answerLogProbabilityPerCharacter],
    [`${model}_n_best`]: [
      'JSON',
      (sample) =>
        listed(of(sample)?.nBest, ({ text, logProbability, probability }) => ({
          ...{ text, probability },
          log_probability: logProbability,
        })),
    ],
    [`${model}_attention`]: [
      'JSON',
      (sample) => {
        const map = of(sample)?.attention;
        return map && { grid: map.grid, cells: map.cells };
      },
    ],
    [`${model}_rationale`]: [
      'JSON',
      (sample) =>
        listed(of(sample)?.rationale, ({ text, logProbability }) => ({ text, log_probability: logProbability })),
    ],
  };
}

function listed<T>(values: readonly T[] | undefined, as: (value: T) => object): object[] | undefined {
  return values && values.length > 0 ? values.map(as) : undefined;
}

/** Opens a Parquet table with all that a run knows of a sample: a column each, signals with parts as JSON. */
export function openParquet(path: string): RowFile<ExportedSample> {
  const schema = [
    { name: 'root', num_children: Object.keys(COLUMNS).length },
    ...Object.entries(COLUMNS).map(([name, [type]]) => elementOf(name, type)),
  ];
  const writer = new ParquetWriter({ writer: fileWriter(path), schema, createdBy: 'mpa' });
  let rows: ExportedSample[] = [];
  const flush = async (): Promise<void> => {
    const columnData = Object.entries(COLUMNS).map(([name, [, of]]) => ({
      name,
      data: rows.map((row) => of(row) ?? null),
    }));
    await writer.write({ columnData, rowGroupSize: GROUP });
    rows = [];
  };
  return {
    async append(row) {
      rows.push(row);
      if (rows.length >= GROUP) await flush();
    },
    async finish() {
      if (rows.length > 0) await flush();
      await writer.finish();
    },
    // The library opens the file anew for every piece.
    close: async () => undefined,
  };
}

type SchemaElement = ConstructorParameters<typeof ParquetWriter>[0]['schema'][number];

function elementOf(name: string, type: ColumnType): SchemaElement {
  const common = { name, repetition_type: 'OPTIONAL' } as const;
  if (type === 'STRING') return { ...common, type: 'BYTE_ARRAY', converted_type: 'UTF8' };
  return type === 'JSON' ? { ...common, type: 'BYTE_ARRAY', converted_type: 'JSON' } : { ...common, type };
}
