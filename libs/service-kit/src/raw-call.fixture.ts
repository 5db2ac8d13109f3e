import { Client, credentials } from '@grpc/grpc-js';
import type { ClientOptions } from '@mpa/contracts';

/** What came of a call that no contract here describes. */
export interface RawAnswer {
  /** Of gRPC. */
  readonly code: number;
  readonly messages: readonly Buffer[];
}

/** Calls a method of any kind with an empty message, as bytes. */
export async function rawCall(address: string, path: string, options: ClientOptions = {}): Promise<RawAnswer> {
  const client = new Client(address, options.credentials ?? credentials.createInsecure());
  const same = (bytes: Buffer): Buffer => bytes;
  const messages: Buffer[] = [];
  try {
    const call = client.makeBidiStreamRequest(path, same, same);
    const ended = new Promise<number>((resolve) => call.on('status', ({ code }: { code: number }) => resolve(code)));
    call.on('error', () => undefined).on('data', (message: Buffer) => messages.push(message));
    call.write(Buffer.alloc(0));
    call.end();
    return { code: await ended, messages };
  } finally {
    client.close();
  }
}
