import type {
  DescMethodServerStreaming,
  DescMethodUnary,
  DescService,
  Message,
  MessageInitShape,
  MessageShape,
} from '@bufbuild/protobuf';
import { Client as GrpcClient, credentials, Metadata } from '@grpc/grpc-js';
import type { CallOptions as GrpcCallOptions, ChannelCredentials, ClientReadableStream } from '@grpc/grpc-js';
import { failSpan, inSpan, traceHeaders } from '@mpa/telemetry';
import type { Span } from '@opentelemetry/api';
import { startClientSpan } from './call-span.js';
import { messageLimits, pings } from './limits.js';
import { isLoopback } from './loopback.js';
import { RpcError, toRpcError } from './rpc-error.js';
import { serviceDefinition } from './service-definition.js';

/** Settings of one call. */
export interface CallOptions {
  /** Cancels the call. */
  readonly signal?: AbortSignal;
  /** Milliseconds until the call fails with DEADLINE_EXCEEDED, `Infinity` for never. */
  readonly timeoutMs?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Settings of a client. */
export interface ClientOptions {
  /** Default: no encryption, for loopback. */
  readonly credentials?: ChannelCredentials;
  /** The name that the server's certificate must have, where it is not that of the address. */
  readonly serverName?: string | undefined;
  /** Bearer token of every call, asked for each time. It travels encrypted or on loopback only. */
  readonly token?: (() => string) | undefined;
  /** Timeout of unary calls without their own, in milliseconds. Default 60,000. Streams have none. */
  readonly timeoutMs?: number;
  /** Milliseconds after which a server that does not even answer pings is lost (UNAVAILABLE). Default: never, for loopback. */
  readonly lostAfterMs?: number;
}

/** The unary and server-streaming methods of a service as functions; they throw RpcError. */
export type Client<S extends DescService> = {
  readonly [M in keyof S['method']]: S['method'][M] extends DescMethodUnary<infer I, infer O>
    ? (request: MessageInitShape<I>, options?: CallOptions) => Promise<MessageShape<O>>
    : S['method'][M] extends DescMethodServerStreaming<infer I, infer O>
      ? (request: MessageInitShape<I>, options?: CallOptions) => AsyncIterable<MessageShape<O>>
      : never;
} & { readonly close: () => void };

/**
 * A client of `service` at `address` (host:port, or any name that grpc-js resolves; of several servers behind a name each is
 * asked in turn). Connects at the first call and again after a loss; a call that found no server is tried up to four times, with growing random pauses. Leaving the
 * loop over a stream cancels its call; a slow loop slows the server down. Throws RpcError FAILED_PRECONDITION for a token that would
 * travel unencrypted to another machine.
 *
 *     const annotator = createClient(AnnotatorService, 'localhost:50051');
 *     const { annotation } = await annotator.annotate({ task: Task.CHARTQA, image });
 */
export function createClient<S extends DescService>(
  service: S,
  address: string,
  {
    credentials: channel = credentials.createInsecure(),
    timeoutMs = 60_000,
    lostAfterMs,
    serverName,
    token,
  }: ClientOptions = {},
): Client<S> {
  if (token && !channel._isSecure() && !isLoopback(address)) {
    throw new RpcError('FAILED_PRECONDITION', `a token does not travel unencrypted to ${address}: set up TLS`);
  }
  const client = new GrpcClient(address, channel, {
    ...messageLimits,
    // A server that comes back after long is found within seconds; grpc-js would wait for up to two minutes.
    'grpc.max_reconnect_backoff_ms': 3_000,
    ...(lostAfterMs === undefined ? {} : pings(lostAfterMs)),
    ...(serverName !== undefined && { 'grpc.ssl_target_name_override': serverName }),
    'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }], ...retryUnavailable(service) }),
  });
  const methods = Object.entries(serviceDefinition(service)).map(([name, method]) => {
    if (method.requestStream) throw new RpcError('UNIMPLEMENTED', `${method.path} streams its request`);
    const authorised = (options: CallOptions): CallOptions =>
      token ? { ...options, headers: { ...options.headers, authorization: `Bearer ${token()}` } } : options;
    const unary = (request: Message, options: CallOptions = {}): Promise<Message> =>
      callUnary(client, method, request, { timeoutMs, ...authorised(options) });
    const streaming = (request: Message, options: CallOptions = {}): AsyncIterable<Message> =>
      callStreaming(client, method, request, authorised(options));
    return [name, method.responseStream ? streaming : unary];
  });
  return { ...Object.fromEntries(methods), close: () => client.close() } as Client<S>;
}

type Method = ReturnType<typeof serviceDefinition>[string];

function callUnary(client: GrpcClient, method: Method, request: Message, options: CallOptions): Promise<Message> {
  const span = startClientSpan(method.path);
  const answer = new Promise<Message>((resolve, reject) => {
    if (options.signal?.aborted) return reject(cancelled());
    const call = client.makeUnaryRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      request,
      metadata(options, span),
      grpcOptions(options),
      (error, response) => {
        options.signal?.removeEventListener('abort', cancel);
        if (error) reject(toRpcError(error));
        else resolve(response!);
      },
    );
    const cancel = (): void => call.cancel();
    options.signal?.addEventListener('abort', cancel, { once: true });
  });
  return inSpan(span, () => answer);
}

async function* callStreaming(
  client: GrpcClient,
  method: Method,
  request: Message,
  options: CallOptions,
): AsyncGenerator<Message> {
  if (options.signal?.aborted) throw cancelled();
  const span = startClientSpan(method.path);
  const call: ClientReadableStream<Message> = client.makeServerStreamRequest(
    method.path,
    method.requestSerialize,
    method.responseDeserialize,
    request,
    metadata(options, span),
    grpcOptions(options),
  );
  const cancel = (): void => call.cancel();
  options.signal?.addEventListener('abort', cancel, { once: true });
  try {
    for await (const message of call) yield message as Message;
  } catch (error) {
    const failure = toRpcError(error);
    failSpan(span, failure);
    throw failure;
  } finally {
    options.signal?.removeEventListener('abort', cancel);
    call.cancel();
    span.end();
  }
}

const cancelled = (): RpcError => new RpcError('CANCELLED', 'the call was cancelled before it began');

function metadata({ headers = {} }: CallOptions, span: Span): Metadata {
  const all = new Metadata();
  for (const [name, value] of Object.entries({ ...headers, ...traceHeaders(span) })) all.set(name, value);
  return all;
}

function grpcOptions({ timeoutMs = Infinity }: CallOptions): GrpcCallOptions {
  return timeoutMs === Infinity ? {} : { deadline: Date.now() + timeoutMs };
}

/** grpc-js draws each pause at random between zero and the current limit. */
function retryUnavailable(service: DescService): object {
  const retryPolicy = {
    maxAttempts: 4,
    initialBackoff: '0.2s',
    maxBackoff: '3s',
    backoffMultiplier: 3,
    retryableStatusCodes: ['UNAVAILABLE'],
  };
  return { methodConfig: [{ name: [{ service: service.typeName }], retryPolicy }] };
}
