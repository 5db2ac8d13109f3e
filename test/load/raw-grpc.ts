import { connect, constants, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import { status } from '@grpc/grpc-js';
import { ModelService, toBinary, create } from '@mpa/contracts';

/** Paths of the two methods that the server of this folder has. */
export const ANSWER = '/mpa.v1.ModelService/Answer';
export const CONSUME = '/mpa.v1.WorkerService/Consume';
/** Those of health. */
export const CHECK = '/grpc.health.v1.Health/Check';
export const WATCH = '/grpc.health.v1.Health/Watch';

/** A connection on which gRPC is written by hand: as no client of ours would, and without a copy of each message. */
export async function connectTo(address: string): Promise<ClientHttp2Session> {
  // As grpc-js has it: Node's own limit would end calls at our end.
  const session = connect(`http://${address}`, { maxSessionMemory: Number.MAX_SAFE_INTEGER });
  session.on('error', () => undefined);
  await new Promise<void>((resolve, reject) => {
    session.once('remoteSettings', () => resolve());
    session.once('error', reject);
  });
  return session;
}

/** A message as gRPC puts it into a stream: a flag, the length, the bytes. */
export function frame(message: Uint8Array, { length = message.length, flag = 0 } = {}): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(flag, 0);
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, message]);
}

/** A question about an image of so many bytes, framed. */
export function question(bytes: number): Buffer {
  const image = { source: { case: 'data' as const, value: new Uint8Array(bytes) } };
  const { input } = ModelService.method.answer;
  return frame(toBinary(input, create(input, { image, questions: ['?'] })));
}

/** Opens a call; what is written to it is the caller's. */
export function open(
  session: ClientHttp2Session,
  path: string,
  headers: Record<string, string> = {},
): ClientHttp2Stream {
  const fixed = { ':method': 'POST', ':path': path, te: 'trailers', 'content-type': 'application/grpc' };
  return session.request({ ...fixed, ...headers });
}

/** How a call ends: its gRPC status by name, `HTTP ...` for an answer without one, `reset` or `lost`. It is not read while it is paused. */
export function ending(stream: ClientHttp2Stream): Promise<string> {
  return new Promise((resolve) => {
    let ended: string | undefined;
    const see = (headers: Record<string, unknown>): void => {
      const code = headers['grpc-status'];
      if (code !== undefined) {
        ended = status[Number(code)]!;
        stream.close();
      } else if (headers[':status'] !== 200 && headers[':status'] !== undefined)
        ended = `HTTP ${Number(headers[':status'])}`;
    };
    stream.on('response', see).on('trailers', see);
    stream.on('error', () => undefined);
    stream.on('close', () => resolve(ended ?? (stream.rstCode === constants.NGHTTP2_NO_ERROR ? 'lost' : 'reset')));
    if (!stream.isPaused()) stream.resume();
  });
}

/** How many calls ended how. */
export function counted(endings: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const each of endings) counts[each] = (counts[each] ?? 0) + 1;
  return counts;
}
