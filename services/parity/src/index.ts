/** The Parity Identifier. */
export { parity } from './parity.js';
export { parityConfig, type ParityConfig } from './parity-config.js';
