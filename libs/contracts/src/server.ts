import { once } from 'node:events';
import type {
  DescMethodServerStreaming,
  DescMethodUnary,
  DescService,
  Message,
  MessageInitShape,
  MessageShape,
} from '@bufbuild/protobuf';
import { status } from '@grpc/grpc-js';
import type {
  handleServerStreamingCall,
  handleUnaryCall,
  ServerUnaryCall,
  ServerWritableStream,
  StatusObject,
} from '@grpc/grpc-js';
import { inServerSpan } from './call-span.js';
import type { RpcCode, RpcError } from './rpc-error.js';
import { toRpcError } from './rpc-error.js';
import { serviceDefinition } from './service-definition.js';
import type { WireDefinition } from './service-definition.js';

/** What a handler knows of its call besides the request. */
export interface CallContext {
  /** Aborts when the caller hangs up or the deadline is over. */
  readonly signal: AbortSignal;
  /** The caller's headers, by lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
}

/** One function per unary method, one generator per server-streaming method. What they throw becomes the status. */
export type Handlers<S extends DescService> = {
  readonly [M in keyof S['method']]: S['method'][M] extends DescMethodUnary<infer I, infer O>
    ? (request: MessageShape<I>, context: CallContext) => Promise<MessageInitShape<O>>
    : S['method'][M] extends DescMethodServerStreaming<infer I, infer O>
      ? (request: MessageShape<I>, context: CallContext) => AsyncIterable<MessageInitShape<O>>
      : never;
};

/** A service with its handlers, ready for `Server.addService`. */
export interface Implementation {
  readonly service: DescService;
  readonly definition: WireDefinition;
  readonly handlers: Record<string, handleUnaryCall<Message, Message> | handleServerStreamingCall<Message, Message>>;
}

/** What a server does with errors, and whom it tells of calls. */
export interface ImplementOptions {
  /** Gives the packages' own errors their codes; the default makes all but RpcError INTERNAL. */
  readonly convert?: (error: unknown) => RpcError | undefined;
  /** Told of every call that failed, with its cause; for logs. */
  readonly onError?: (path: string, error: RpcError) => void;
  /** Told of every call that begins; what it gives back is told how the call ended. For metrics. */
  readonly onCall?: (method: Pick<WireDefinition[string], 'path' | 'responseStream'>) => (code: RpcCode | 'OK') => void;
}

/**
 * Binds handlers to a service. Errors are converted here and nowhere else: the caller sees code and message, and for
 * INTERNAL no message of ours. A stream waits for a slow reader. A call is answered within a span of its caller's trace.
 */
export function implement<S extends DescService>(
  service: S,
  handlers: Handlers<S>,
  { convert = () => undefined, onError = () => undefined, onCall = () => () => undefined }: ImplementOptions = {},
): Implementation {
  const definition = serviceDefinition(service);
  const fail = (path: string, error: unknown, ended: Ended): Partial<StatusObject> => {
    const converted = convert(error) ?? toRpcError(error);
    onError(path, converted);
    ended(converted.code);
    const details = converted.code === 'INTERNAL' ? 'internal error; see the log of the service' : converted.message;
    // grpc-js throws at half a surrogate pair, and then answers nobody.
    return { code: status[converted.code], details: details.toWellFormed() };
  };
  const bound = Object.entries(definition).map(([name, method]) => {
    const { path, responseStream } = method;
    const around: Around = {
      begin: () => onCall(method),
      run: (headers, answer) => inServerSpan(path, headers, answer),
      fail: (error, ended) => fail(path, error, ended),
    };
    const handler = (handlers as Record<string, unknown>)[name];
    if (responseStream) return [name, streamingHandler(handler as StreamingHandler, around)];
    return [name, unaryHandler(handler as UnaryHandler, around)];
  });
  return { service, definition, handlers: Object.fromEntries(bound) as Implementation['handlers'] };
}

type UnaryHandler = (request: Message, context: CallContext) => Promise<Message>;
type StreamingHandler = (request: Message, context: CallContext) => AsyncIterable<Message>;
type Ended = (code: RpcCode | 'OK') => void;

/** What is done around the calls of a method. */
interface Around {
  begin(): Ended;
  run<T>(headers: CallContext['headers'], answer: () => Promise<T>): Promise<T>;
  fail(error: unknown, ended: Ended): Partial<StatusObject>;
}

function unaryHandler(handler: UnaryHandler, { begin, run, fail }: Around): handleUnaryCall<Message, Message> {
  return (call, callback) => {
    const ended = begin();
    const context = contextOf(call);
    run(context.headers, async () => handler(call.request, context)).then(
      (response) => {
        ended('OK');
        callback(null, response);
      },
      (error: unknown) => callback(fail(error, ended)),
    );
  };
}

function streamingHandler(
  handler: StreamingHandler,
  { begin, run, fail }: Around,
): handleServerStreamingCall<Message, Message> {
  return (call) => {
    const ended = begin();
    const context = contextOf(call);
    run(context.headers, () => send(call, handler(call.request, context), context.signal)).then(
      () => {
        ended('OK');
        call.end();
      },
      // Not `destroy`: grpc-js sends the status when the stream ends.
      (error: unknown) => call.emit('error', fail(error, ended)),
    );
  };
}

async function send(
  call: ServerWritableStream<Message, Message>,
  messages: AsyncIterable<Message>,
  signal: AbortSignal,
): Promise<void> {
  for await (const message of messages) {
    signal.throwIfAborted();
    if (!call.write(message)) await once(call, 'drain', { signal });
  }
}

function contextOf(call: ServerUnaryCall<Message, Message> | ServerWritableStream<Message, Message>): CallContext {
  const controller = new AbortController();
  call.on('cancelled', () => controller.abort());
  const headers = Object.fromEntries(Object.entries(call.metadata.getMap()).map(([k, v]) => [k, v.toString()]));
  return { signal: controller.signal, headers };
}
