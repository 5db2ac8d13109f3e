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
import { messageLimits, pings } from './limits.js';
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
 * A client of `service` at `address` (host:port, or any name that grpc-js resolves). Connects at the first call and
 * again after a loss; a call that found no server is tried up to four times, with growing random pauses. Leaving the
 * loop over a stream cancels its call; a slow loop slows the server down.
 *
 *     const annotator = createClient(AnnotatorService, 'localhost:50051');
 *     const { annotation } = await annotator.annotate({ task: Task.CHARTQA, image });
 */
export function createClient<S extends DescService>(
  service: S,
  address: string,
  { credentials: channel = credentials.createInsecure(), timeoutMs = 60_000, lostAfterMs }: ClientOptions = {},
): Client<S> {
  const client = new GrpcClient(address, channel, {
    ...messageLimits,
    // A server that comes back after long is found within seconds; grpc-js would wait for up to two minutes.
    'grpc.max_reconnect_backoff_ms': 3_000,
    ...(lostAfterMs === undefined ? {} : pings(lostAfterMs)),
    'grpc.service_config': JSON.stringify(retryUnavailable(service)),
  });
  const methods = Object.entries(serviceDefinition(service)).map(([name, method]) => {
    if (method.requestStream) throw new RpcError('UNIMPLEMENTED', `${method.path} streams its request`);
    const unary = (request: Message, options: CallOptions = {}): Promise<Message> =>
      callUnary(client, method, request, { timeoutMs, ...options });
    const streaming = (request: Message, options: CallOptions = {}): AsyncIterable<Message> =>
      callStreaming(client, method, request, options);
    return [name, method.responseStream ? streaming : unary];
  });
  return { ...Object.fromEntries(methods), close: () => client.close() } as Client<S>;
}

type Method = ReturnType<typeof serviceDefinition>[string];

function callUnary(client: GrpcClient, method: Method, request: Message, options: CallOptions): Promise<Message> {
  return new Promise((resolve, reject) => {
    if (options.signal?.aborted) return reject(cancelled());
    const call = client.makeUnaryRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      request,
      metadata(options),
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
}

async function* callStreaming(
  client: GrpcClient,
  method: Method,
  request: Message,
  options: CallOptions,
): AsyncGenerator<Message> {
  if (options.signal?.aborted) throw cancelled();
  const call: ClientReadableStream<Message> = client.makeServerStreamRequest(
    method.path,
    method.requestSerialize,
    method.responseDeserialize,
    request,
    metadata(options),
    grpcOptions(options),
  );
  const cancel = (): void => call.cancel();
  options.signal?.addEventListener('abort', cancel, { once: true });
  try {
    for await (const message of call) yield message as Message;
  } catch (error) {
    throw toRpcError(error);
  } finally {
    options.signal?.removeEventListener('abort', cancel);
    call.cancel();
  }
}

const cancelled = (): RpcError => new RpcError('CANCELLED', 'the call was cancelled before it began');

function metadata({ headers = {} }: CallOptions): Metadata {
  const all = new Metadata();
  for (const [name, value] of Object.entries(headers)) all.set(name, value);
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
