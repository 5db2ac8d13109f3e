import { ConfigError, masked, secretsIn } from '@mpa/service-kit';
import { defaultCacheDirectory } from '@mpa/tensorflow';
import { CommanderError } from 'commander';
import { InterruptedError, UsageError } from './cli-error.js';
import type { CommandContext } from './command-context.js';
import { program } from './program.js';

/** Exit codes: 0 done, 1 failed, 2 called wrongly, 130 interrupted. */
async function main(args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const interrupt = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (interrupt.signal.aborted) process.exit(130);
      interrupt.abort(new InterruptedError('interrupted; the same command goes on from here'));
    });
  }
  // Whoever reads the output may leave early (`mpa ... | head`): the work goes on, and ends as it would have.
  process.stderr.on('error', () => undefined);
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
  const report = (error: unknown): void =>
    void process.stderr.write(
      masked(env['MPA_DEBUG'] === '1' ? `${debugText(error)}\n` : `mpa: ${oneLine(error)}\n`, secretsIn(env)),
    );
  process.on('uncaughtException', (error) => {
    report(error);
    process.exit(1);
  });
  const context: CommandContext = {
    out: (line) => void process.stdout.write(`${line}\n`),
    stdin: process.stdin,
    stderr: process.stderr,
    signal: interrupt.signal,
    cacheDirectory: defaultCacheDirectory(env),
    env,
  };
  try {
    await program(context).parseAsync(args, { from: 'user' });
    return 0;
  } catch (thrown) {
    if (thrown instanceof CommanderError && thrown.exitCode === 0) return 0;
    const error: unknown = interrupt.signal.aborted ? interrupt.signal.reason : thrown;
    report(error);
    return exitCode(error);
  }
}

function exitCode(error: unknown): number {
  if (error instanceof CommanderError || error instanceof UsageError || error instanceof ConfigError) return 2;
  return error instanceof InterruptedError ? 130 : 1;
}

function oneLine(error: unknown): string {
  if (error instanceof CommanderError && error.code === 'commander.help')
    return 'no command was given; mpa --help lists them';
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ');
}

function debugText(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** Resolves once whoever reads has all, or has left. */
function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => stream.write('', () => resolve()));
}

const code = await main(process.argv.slice(2), process.env);
await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
// Whatever a library still holds must not keep the process: kafkajs leaves a connection open that was being made when it was told to close.
process.exit(code);
