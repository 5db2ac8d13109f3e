import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { summarizeVitest } from './vitest-summary.mjs';

function report(testResults, counts) {
  const file = join(mkdtempSync(join(tmpdir(), 'mpa-report-')), 'vitest.json');
  const none = { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0 };
  writeFileSync(file, JSON.stringify({ ...none, ...counts, testResults }));
  return file;
}

const file = (status, ...tests) => ({ status, assertionResults: tests.map((test) => ({ status: test })) });

describe('summarizeVitest', () => {
  it('counts tests', () => {
    const results = [file('failed', 'passed', 'failed'), file('passed', 'passed', 'pending')];
    const path = report(results, { numPassedTests: 2, numFailedTests: 1, numPendingTests: 1 });
    expect(summarizeVitest(path, true)).toEqual({ passed: 2, failed: 1, skipped: 1 });
  });

  it('counts a test file that could not be loaded as a failed test', () => {
    const path = report([file('failed'), file('passed', 'passed')], { numPassedTests: 1 });
    expect(summarizeVitest(path, true)).toEqual({ passed: 1, failed: 1, skipped: 0 });
  });

  it('never calls a failed run a pass', () => {
    const path = report([file('passed', 'passed')], { numPassedTests: 1 });
    expect(summarizeVitest(path, true).failed).toBe(1);
    expect(summarizeVitest('/nowhere/vitest.json', true).failed).toBe(1);
  });
});
