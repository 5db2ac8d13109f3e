import { parseArgs } from 'node:util';
import { z } from 'zod';
import { ConfigError } from './config-error.js';
import { checkExposure } from './exposure.js';
import { createLogger } from './logger.js';
import { readConfig } from './read-config.js';
import { masked, secretsIn } from './secrets.js';
import type { Service } from './service.js';
import { configSchema, startService, type RunningService, type serverConfig } from './start-service.js';
import { startTracing, tracingConfig } from './tracing/start-tracing.js';

/** Configuration of a process, beside that of the service in it. */
export const processConfig = z.strictObject({ tracing: tracingConfig });

/** What a `main` reads of its process. */
export type MainProcess = Pick<NodeJS.Process, 'argv' | 'env' | 'exit' | 'on' | 'stderr'>;

const SIGNALS = { SIGINT: 2, SIGTERM: 15 } as const;

/**
 * The whole of a service's main: `--config FILE`, start, serve until SIGTERM or SIGINT, stop gracefully, exit. A second
 * signal, and any before it serves, exits at once. With `--check` it starts nothing: it says whether the configuration may be used. Exit
 * code 0 after a graceful stop or a check, 2 for a wrong flag or configuration, 128 + the signal's number after an exit at once, 1 for
 * anything else.
 *
 *     await runService(annotator, process);
 *
 * A service that has failed for good (`ServiceContext.fail`) says so in a line, stops and exits with 1: whoever runs it starts it anew.
 */
export async function runService<S extends z.ZodObject>(service: Service<S>, main: MainProcess): Promise<void> {
  try {
    const { file, check } = flagsOf(service.name, main.argv.slice(2));
    const schema: z.ZodObject = z.strictObject({ ...configSchema(service).shape, ...processConfig.shape });
    const { tracing, ...config } = await readConfig(file, schema);
    const logger = createLogger(service.name, config['logLevel'] as 'info', undefined, secretsIn(main.env));
    if (check) {
      checkExposure(config as z.output<typeof serverConfig>, logger);
      return main.exit(0);
    }
    const onProblem = (message: string): void => logger.warn({ message }, 'traces are lost');
    const endTracing = await startTracing(service.name, tracing as z.output<typeof tracingConfig>, {
      env: main.env,
      onProblem,
    });
    let running: RunningService | undefined = undefined;
    let signals = 0;
    for (const [signal, number] of Object.entries(SIGNALS)) {
      main.on(signal, () => {
        signals += 1;
        if (!running || signals > 1) return main.exit(128 + number);
        logger.info({ signal }, 'stopping');
        const ended = running.stop().then(endTracing);
        ended.then(
          () => main.exit(0),
          (error: unknown) => {
            logger.fatal({ err: error }, 'the stop failed');
            main.exit(1);
          },
        );
      });
    }
    const onFailure = (error: Error): void => {
      main.stderr.write(`${service.name}: ${masked(error.message, secretsIn(main.env))}\n`);
      const ended = Promise.resolve(running?.stop()).then(endTracing);
      ended.then(
        () => main.exit(1),
        () => main.exit(1),
      );
    };
    running = await startService(service, config as z.input<S>, { logger, env: main.env, onFailure });
  } catch (error) {
    const expected = error instanceof Error && !(error instanceof TypeError);
    const text = expected ? error.message : String((error as Error).stack);
    main.stderr.write(`${service.name}: ${masked(text, secretsIn(main.env))}\n`);
    main.exit(error instanceof ConfigError ? 2 : 1);
  }
}

function flagsOf(name: string, args: string[]): { readonly file: string; readonly check: boolean } {
  const usage = `usage: ${name} --config FILE [--check]`;
  try {
    const { values } = parseArgs({ args, options: { config: { type: 'string' }, check: { type: 'boolean' } } });
    if (values.config !== undefined) return { file: values.config, check: values.check === true };
  } catch (cause) {
    throw new ConfigError(`${(cause as Error).message}; ${usage}`, { cause });
  }
  throw new ConfigError(usage);
}
