import { spawn } from 'node:child_process';
import { SetupError } from './setup-error.mjs';

const KEPT_OUTPUT = 4000;
const MESSAGE_LINES = 20;

/**
 * Runs a program to its end and returns what it wrote to standard output. What it writes to standard error is kept
 * only for the message of a failure: a warning there (npm's about its configuration, say) is not one.
 *
 * @param {string} command program name or path, not a shell line
 * @param {string[]} args
 * @param {{timeoutMs: number, cwd?: string, env?: NodeJS.ProcessEnv}} options it is killed after `timeoutMs`
 * @returns {Promise<string>} standard output
 * @throws {SetupError} when the program is missing, fails, or runs out of time
 */
export function runCommand(command, args, { timeoutMs, cwd, env = process.env }) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let tail = '';
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill('SIGKILL');
    }, timeoutMs);
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text;
      tail = (tail + text).slice(-KEPT_OUTPUT);
    });
    child.stderr.setEncoding('utf8').on('data', (text) => (tail = (tail + text).slice(-KEPT_OUTPUT)));
    child.on('error', (cause) => {
      clearTimeout(timer);
      reject(new SetupError(`${command} cannot be started: ${cause.message}`, { cause }));
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (code === 0) resolve(stdout);
      else if (late) reject(new SetupError(`${command} was stopped after ${timeoutMs / 1000} s`));
      else reject(new SetupError(`${command} failed (${signal ?? `exit code ${code}`}): ${lastLines(tail)}`));
    });
  });
}

/** Errors that are marked so (pip's, npm's) where there are any, else the last lines, less warnings. */
function lastLines(text) {
  const lines = text.trim().split('\n');
  const marked = lines.filter((line) => /^(ERROR:|npm error .)/.test(line));
  const telling = marked.length > 0 ? marked : lines.filter((line) => !/^npm (warn|notice)/.test(line));
  return telling.slice(-MESSAGE_LINES).join('\n');
}
