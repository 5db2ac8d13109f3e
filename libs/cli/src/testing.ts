/** What tests of the whole product need: `mpa` in processes of its own, and a teacher that is taught in seconds. */
export { lastObject, runMpa, startMpa, type Ended } from './run-mpa.fixture.js';
export { serveService, type Served } from './serve-service.fixture.js';
export { writeSpeakingCheckpoint, type Line } from './speaking-checkpoint.fixture.js';
