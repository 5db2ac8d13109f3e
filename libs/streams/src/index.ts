/** Sample streams: one interface; the embedded log on lmdb implements it. */
export * from './record.js';
export * from './streams.js';
export * from './streams-error.js';
export * from './topic.js';
export { systemClock, type Clock } from './clock.js';
export { openEmbeddedStreams, type EmbeddedStreamsOptions } from './embedded/embedded-streams.js';
