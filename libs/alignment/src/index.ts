export { areaShares, ATTENTION_LAYERS, attentionMap, type Region } from './attention-map.js';
export { charactersOf, confidenceGap, perCharacter } from './confidence.js';
export {
  decide,
  decideByDiscrepancy,
  decideToRehearse,
  rejectionReasons,
  selectionReasons,
  type Decision,
  type ParityInput,
  type RejectionReason,
  type SelectionReason,
} from './decide.js';
export {
  discrepancies,
  meanDiscrepancy,
  pathToAnswerDiscrepancy,
  sampleWeights,
  type Discrepancies,
  type ModelSignals,
} from './discrepancies.js';
export { amongThese, normalised } from './divergence.js';
export type { PathDiscrepancy } from './reasoning.js';
