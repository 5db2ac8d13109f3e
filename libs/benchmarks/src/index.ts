export { contactSheet } from './world/contact-sheet.js';
export { drawSample } from './world/draw-sample.js';
export {
  IMAGE_SIZE,
  TASKS,
  type DrawnObject,
  type DrawnQuestion,
  type DrawnSample,
  type Glyph,
  type Task,
} from './world/drawn-sample.js';
export type { Box } from './world/geometry.js';
export { samplePixels } from './world/sample-pixels.js';
export { splitOf, type Split } from './world/split.js';
export { wordsOf } from './world/vocabulary.js';
export { WorldError } from './world/world-error.js';
