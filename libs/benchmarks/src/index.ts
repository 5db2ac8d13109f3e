export { tasks as TASKS, type Task } from '@mpa/answer-metrics';
export { BenchmarkError } from './benchmark-error.js';
export { loadBenchmark, type Benchmark, type BenchmarkSample, type MissingImage } from './load-benchmark.js';
export { splitAnnotations, type SplitAnnotations } from './split-benchmark.js';
export { writeWorld, type WorldOptions, type WrittenWorld } from './write-world.js';
export { COLOUR_NAMES, nearestColourName } from './world/colours.js';
export { contactSheet } from './world/contact-sheet.js';
export { drawSample } from './world/draw-sample.js';
export { IMAGE_SIZE, type DrawnObject, type DrawnQuestion, type DrawnSample, type DrawnScene, type Glyph } from './world/drawn-sample.js'; // prettier-ignore
export type { Box } from './world/geometry.js';
export { drawPage } from './world/page-scene.js';
export { samplePixels } from './world/sample-pixels.js';
export { splitOf, type Split } from './world/split.js';
export { THINGS } from './world/things.js';
export { wordsOf } from './world/vocabulary.js';
export { WorldError } from './world/world-error.js';
