export { demonstration } from './demonstration.js';
export { alignConfigSchema } from './pipeline/align-config.js';
export { startListing, type Listing } from './pipeline/listing.js';
