import { createRequire } from 'node:module';
import { Command } from 'commander';
import type { CommandContext } from './command-context.js';
import { addAlign } from './commands/align.js';
import { addAnalyze } from './commands/analyze.js';
import { addAnswer } from './commands/answer.js';
import { addConsole } from './commands/console.js';
import { addDemo } from './commands/demo.js';
import { addDoctor } from './commands/doctor.js';
import { addPretrain } from './commands/pretrain.js';
import { addServe } from './commands/serve.js';
import { addWorld } from './commands/world.js';

const { version } = createRequire(import.meta.url)('../package.json') as { version: string };

/** The command line as a whole: one file per command in `commands/`. */
export function program(context: CommandContext): Command {
  const root = new Command('mpa')
    .description('Level a small vision-language model against a large one, from unlabeled images.')
    .version(version)
    .exitOverride()
    .configureOutput({ writeErr: () => undefined, writeOut: (text) => context.out(text.trimEnd()) })
    .showSuggestionAfterError();
  for (const add of [addAlign, addAnalyze, addConsole, addDemo, addWorld, addAnswer, addPretrain, addServe, addDoctor])
    add(root, context);
  return root;
}
