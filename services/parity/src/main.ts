import { runService } from '@mpa/service-kit';
import { parity } from './parity.js';

await runService(parity, process);
