/** The Pseudo Annotator. */
export { annotator } from './annotator.js';
export { annotatorConfig, type AnnotatorConfig } from './annotator-config.js';
export { wantedSignals } from './signals.js';
