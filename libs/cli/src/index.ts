export { demonstration } from './demonstration.js';
export { startListing, type Listing } from './pipeline/listing.js';
