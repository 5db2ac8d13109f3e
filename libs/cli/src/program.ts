import { createRequire } from 'node:module';
import { Command } from 'commander';
import type { CommandContext } from './command-context.js';
import { addAlign } from './commands/align.js';
import { addAnalyze } from './commands/analyze.js';
import { addAnswer } from './commands/answer.js';
import { addCompare } from './commands/compare.js';
import { addConsole } from './commands/console.js';
import { addDemo } from './commands/demo.js';
import { addDoctor } from './commands/doctor.js';
import { addEfficiency } from './commands/efficiency.js';
import { addEvaluate } from './commands/evaluate.js';
import { addExport } from './commands/export.js';
import { addImport } from './commands/import.js';
import { addPretrain } from './commands/pretrain.js';
import { addScore } from './commands/score.js';
import { addServe } from './commands/serve.js';
import { addSplit } from './commands/split.js';
import { addTopics } from './commands/topics.js';
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
  for (const add of [
    addAlign,
    addAnalyze,
    addImport,
    addExport,
    addConsole,
    addDemo,
    addWorld,
    addAnswer,
    addEvaluate,
    addCompare,
    addScore,
    addEfficiency,
    addSplit,
    addPretrain,
    addServe,
    addTopics,
    addDoctor,
  ])
    add(root, context);
  return root;
}
