/** The Pseudo Annotator. */
export { annotator } from './annotator.js';
export { annotatorConfig, type AnnotatorConfig } from './annotator-config.js';
export { HashIndex } from './hash-index.js';
export { wantedSignals } from './signals.js';
