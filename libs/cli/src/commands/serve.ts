import { annotator } from '@mpa/annotator';
import { evaluator } from '@mpa/evaluator';
import { parity } from '@mpa/parity';
import { runService, type Service } from '@mpa/service-kit';
import { trainer } from '@mpa/trainer';
import type { Command } from 'commander';
import type { z } from 'zod';

/** `mpa serve NAME --config FILE [--check]`: one service alone, as its own main does. */
export function addServe(program: Command): void {
  const serve = program.command('serve').description('run one of the four services, until SIGTERM');
  addService(serve, annotator);
  addService(serve, parity);
  addService(serve, trainer);
  addService(serve, evaluator);
}

function addService<S extends z.ZodObject>(serve: Command, service: Service<S>): void {
  serve
    .command(service.name)
    .description(`run the ${service.name}`)
    .requiredOption('--config <file>', 'configuration, YAML or JSON')
    .option('--check', 'say whether the configuration may be used, and start nothing')
    .action(async ({ config, check }: { config: string; check?: boolean }) => {
      const { env, exit, stderr } = process;
      const argv = [process.execPath, service.name, '--config', config, ...(check ? ['--check'] : [])];
      await runService(service, { argv, env, exit, stderr, on: process.on.bind(process) });
      // A service ends its process itself.
      await new Promise(() => undefined);
    });
}
