import { annotator } from '@mpa/annotator';
import { evaluator } from '@mpa/evaluator';
import { parity } from '@mpa/parity';
import { runService, type Service } from '@mpa/service-kit';
import { trainer } from '@mpa/trainer';
import type { Command } from 'commander';
import type { z } from 'zod';

/** `mpa serve NAME --config FILE`: one service alone, as its own main does. */
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
    .action(async ({ config }: { config: string }) => {
      const { env, exit, stderr } = process;
      const argv = [process.execPath, service.name, '--config', config];
      await runService(service, { argv, env, exit, stderr, on: process.on.bind(process) });
    });
}
