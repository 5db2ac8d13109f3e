/** A process of its own for tests: puts samples into a run's log. */
import { addSamples } from './run.fixture.js';

const [folder = '', from, to, image = ''] = process.argv.slice(2);
await addSamples(folder, Number(from), Number(to), () => image);
