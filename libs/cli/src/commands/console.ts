import { once } from 'node:events';
import { startConsole } from '@mpa/console';
import { ImageStore } from '@mpa/storage';
import type { Command } from 'commander';
import type { CommandContext } from '../command-context.js';
import { wholeNumber } from '../option-values.js';

interface ConsoleFlags {
  readonly runs: string;
  readonly host: string;
  readonly port: number;
  readonly allowHosts?: readonly string[];
}

/** `mpa console`: serves a page to look at runs, until Ctrl-C. */
export function addConsole(program: Command, context: CommandContext): void {
  program
    .command('console')
    .description('serve a page to look at runs, live or finished, until Ctrl-C')
    .option('--runs <dir>', 'folder of runs', 'runs')
    .option('--host <host>', 'where to listen; anything else than loopback lets others look', '127.0.0.1')
    .option('--port <port>', 'port; 0 takes a free one', wholeNumber(0, 65_535), 4747)
    .option('--allow-hosts <host...>', 'web servers that images of samples may be read from')
    .action((flags: ConsoleFlags) => serveConsole(flags, context));
}

async function serveConsole(flags: ConsoleFlags, { out, signal }: CommandContext): Promise<void> {
  const { allowHosts = [], ...where } = flags;
  const running = await startConsole({ ...where, images: new ImageStore({ allowHosts }) });
  out(`the console is serving at ${running.address}`);
  if (!signal.aborted) await once(signal, 'abort');
  await running.stop();
}
