export {
  decide,
  rejectionReasons,
  sampleWeight,
  selectionReasons,
  type Decision,
  type ParityInput,
  type RejectionReason,
  type SelectionReason,
} from './decide.js';
