/** Images, checkpoints and run folders behind one small interface. */
export * from './storage.js';
export * from './storage-error.js';
