import { existsSync, readFileSync } from 'node:fs';

/**
 * Counts tests in the file that vitest's JSON reporter wrote. A test file that could not be loaded counts as one failed
 * test, and so does a run that failed otherwise or wrote no file.
 *
 * @param {string} file
 * @param {boolean} runFailed whether vitest's exit code was not 0
 * @returns {{passed: number, failed: number, skipped: number}}
 */
export function summarizeVitest(file, runFailed) {
  if (!existsSync(file)) return { passed: 0, failed: 1, skipped: 0 };
  const report = JSON.parse(readFileSync(file, 'utf8'));
  const unloadable = report.testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
  ).length;
  const failed = report.numFailedTests + unloadable;
  return {
    passed: report.numPassedTests,
    failed: failed === 0 && runFailed ? 1 : failed,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}
