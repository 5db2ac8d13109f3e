import { runService } from '@mpa/service-kit';
import { evaluator } from './evaluator.js';

await runService(evaluator, process);
