export { CliError, CountsError, InterruptedError, UsageError } from './cli-error.js';
