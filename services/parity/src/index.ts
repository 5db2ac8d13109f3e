/** The Parity Identifier. */
export { parity } from './parity.js';
export type { ParityConfig } from './parity-config.js';
