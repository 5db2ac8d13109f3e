import { execFile } from 'node:child_process';

/** How a program is run. */
export interface RunOptions {
  /** It is killed after so long. */
  readonly timeoutMs: number;
  readonly cwd?: string;
  /** Beside those of this process. */
  readonly env?: NodeJS.ProcessEnv;
  /** Its standard input; none by default. */
  readonly input?: string;
}

/** What a program printed. */
export interface Printed {
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end. Throws an Error with what it said when it cannot be started, fails or is late. */
export function runProgram(
  program: string,
  args: readonly string[],
  { timeoutMs, cwd, env, input = '' }: RunOptions,
): Promise<Printed> {
  return new Promise((resolve, reject) => {
    const options = {
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
      cwd,
      env: { ...process.env, ...env },
      maxBuffer: 2 ** 27,
    } as const;
    const child = execFile(program, args, options, (error, stdout, stderr) => {
      if (!error) return resolve({ stdout, stderr });
      const how = error.killed ? `was stopped after ${timeoutMs / 1000} s` : `failed (${String(error.code)})`;
      reject(
        new Error(`${program} ${args.slice(0, 4).join(' ')} ${how}: ${(stderr || stdout).slice(-4000)}`, {
          cause: error,
        }),
      );
    });
    child.stdin?.on('error', () => undefined).end(input);
  });
}
