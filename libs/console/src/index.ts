/** Runs to look at: the pages that `mpa console` serves, and the report of one run, drawn with the same components. */
export { analyzeDecisions, decisionsOf, showsGap, type Analysis, type Histogram, type QuestionKind } from './analysis/analysis.js'; // prettier-ignore
export { levellingOf, type Levelling, type Remeasured } from './analysis/levelling.js';
export { measures, type Measure } from './analysis/measures.js';
export { duration } from './components/duration.js';
export { writeReport, type AnalysisResult, type ReportOptions } from './report/write-report.js';
export { ConsoleError, type ConsoleErrorCode } from './run/console-error.js';
export { resultsFile } from './run/results-file.js';
export type { EndpointUsage, PerModel, SignalCost, Summary, TeacherUsage, TermSummary } from './run/summary.js';
export type { CurvePoint } from './run/training-curve.js';
export { startConsole, type ConsoleOptions, type RunningConsole } from './server/start-console.js';
