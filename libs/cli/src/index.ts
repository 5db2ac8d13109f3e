export { CliError, CountsError, InterruptedError, UsageError } from './cli-error.js';
export { demonstration } from './demonstration.js';
