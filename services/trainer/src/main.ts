import { runService } from '@mpa/service-kit';
import { trainer } from './trainer.js';

await runService(trainer, process);
