/** What tests of other packages need: certificates. */
export { Authority, writePems, type Named, type Pair } from './certificates.fixture.js';
