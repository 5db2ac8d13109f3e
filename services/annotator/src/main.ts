import { runService } from '@mpa/service-kit';
import { annotator } from './annotator.js';

await runService(annotator, process);
