export { CliError, CountsError, InterruptedError, UsageError } from './cli-error.js';
export { demonstration } from './demonstration.js';
export { startListing, type Listing } from './pipeline/listing.js';
