/** What the parts tell whoever watches: models of their computations; calls and records of the trace that they are part of. */
export { failSpan, inSpan } from './in-span.js';
export { modelCalls, onGeneratedTokens, tellGeneratedTokens, type ModelCall } from './model-calls.js';
export { spanInEach } from './span-in-each.js';
export {
  FOLLOWED_HEADER,
  joinTraces,
  MOST_FOLLOWED,
  splitTraces,
  traceHeaders,
  tracedContext,
  type TraceContext,
} from './trace-headers.js';
