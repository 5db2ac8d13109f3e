import { echo } from './echo-service.fixture.js';
import { runService } from './run-service.js';

await runService(echo, process);
