import { randomBytes } from 'node:crypto';
import { constants } from 'node:http2';
import { connect as connectTcp } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { MAX_MESSAGE_BYTES } from '@mpa/contracts';
import { ANSWER, CHECK, connectTo, CONSUME, counted, ending, frame, open, question, WATCH } from './raw-grpc.js';
import type { ServerProcess } from './server-process.js';

/** How many calls ended how: status of gRPC by name. */
export type Endings = Readonly<Record<string, number>>;

/** Calls at once over several connections, each with an image of so many bytes. */
export async function callAtOnce(server: ServerProcess, calls: number, bytes: number): Promise<Endings> {
  const sessions = await Promise.all(Array.from({ length: Math.ceil(calls / 500) }, () => connectTo(server.address)));
  const body = question(bytes);
  const endings = Array.from({ length: calls }, (_, i) => {
    const stream = open(sessions[i % sessions.length]!, ANSWER);
    stream.end(body);
    return ending(stream);
  });
  return done(sessions, endings);
}

/** Streams that nobody reads, for so long. */
export async function readSlowly(server: ServerProcess, streams: number, milliseconds: number): Promise<Endings> {
  const session = await connectTo(server.address);
  const unread = Array.from({ length: streams }, () => {
    const stream = open(session, CONSUME);
    stream.pause();
    stream.end(frame(Buffer.alloc(0)));
    return { stream, end: ending(stream) };
  });
  await pause(milliseconds);
  for (const { stream } of unread) stream.close(constants.NGHTTP2_CANCEL);
  return done(
    [session],
    unread.map(({ end }) => end),
  );
}

/** Calls whose messages are larger than allowed: said to be, sent, or unpacked. */
export async function sendOversized(server: ServerProcess, calls: number): Promise<Record<string, Endings>> {
  const session = await connectTo(server.address);
  const zeros = gzipSync(Buffer.alloc(MAX_MESSAGE_BYTES + 1));
  const kinds = {
    'said to be': { body: frame(Buffer.alloc(10), { length: 0xffffffff }), headers: {} },
    sent: { body: frame(Buffer.alloc(MAX_MESSAGE_BYTES + 1)), headers: {} },
    unpacked: { body: frame(zeros, { flag: 1 }), headers: { 'grpc-encoding': 'gzip' } },
  };
  const results: Record<string, Endings> = {};
  for (const [kind, { body, headers }] of Object.entries(kinds)) {
    const endings = Array.from({ length: calls }, () => {
      const stream = open(session, ANSWER, headers);
      stream.end(body);
      return ending(stream);
    });
    results[kind] = counted(await Promise.all(endings));
  }
  session.close();
  return results;
}

/** Calls that are cancelled once they are sent; on connections that the server may close for it. */
export async function cancelCalls(server: ServerProcess, calls: number, bytes: number): Promise<Endings> {
  const body = question(bytes);
  const all: string[] = [];
  for (let sent = 0; sent < calls; sent += 100) {
    const session = await connectTo(server.address);
    const endings = Array.from({ length: 100 }, () => {
      const stream = open(session, ANSWER);
      const end = ending(stream);
      stream.end(body);
      setImmediate(() => stream.close(constants.NGHTTP2_CANCEL));
      return end;
    });
    all.push(...(await Promise.all(endings)));
    session.destroy();
  }
  return counted(all);
}

/** Calls whose requests never come to an end. */
export async function sendHalf(server: ServerProcess, calls: number): Promise<Endings> {
  const session = await connectTo(server.address);
  const half = question(1000).subarray(0, 500);
  const endings = Array.from({ length: calls }, () => {
    const stream = open(session, ANSWER);
    stream.write(half);
    return ending(stream);
  });
  return done([session], endings);
}

/** Questions to health of so many bytes, all but the last of which are sent. */
export async function askHealthHalf(address: string, calls: number, bytes: number): Promise<Endings> {
  const session = await connectTo(address);
  const half = frame(Buffer.alloc(bytes)).subarray(0, -1);
  const endings = Array.from({ length: calls }, () => {
    const stream = open(session, CHECK);
    stream.write(half);
    return ending(stream);
  });
  return done([session], endings);
}

/** Calls that are told of health for ever: how those end that are not, and how many are. */
export async function watchHealth(address: string, calls: number): Promise<Endings> {
  const session = await connectTo(address);
  const endings = Array.from({ length: calls }, () => {
    const stream = open(session, WATCH);
    const told = new Promise<string>((resolve) => stream.once('data', () => resolve('told')));
    stream.end(frame(Buffer.alloc(0)));
    return Promise.race([told, ending(stream)]);
  });
  return done([session], endings);
}

/** What no client sends, by kind, and how the server took it; each must leave it answering. */
export async function sendMalformed(server: ServerProcess): Promise<Record<string, string>> {
  const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  const bytes = { noise: randomBytes(4096), http: Buffer.from('GET / HTTP/1.1\r\n\r\n'), 'half a preface': preface.subarray(0, 10), 'noise behind the preface': Buffer.concat([preface, randomBytes(4096)]), 'a frame of 16 MiB': Buffer.concat([preface, Buffer.from('ffffff000000000001', 'hex'), Buffer.alloc(65_536)]) }; // prettier-ignore
  const results: Record<string, string> = {};
  for (const [kind, sent] of Object.entries(bytes)) results[kind] = await sendBytes(server.address, sent);
  const calls: Record<string, [body: Buffer, path?: string, headers?: Record<string, string>]> = {
    'no protobuf': [frame(Buffer.from('ffffffffffffffff', 'hex'))],
    'no message': [Buffer.alloc(0)],
    'two messages': [Buffer.concat([question(1), question(1)])],
    'half a message': [question(100).subarray(0, 50)],
    'an unknown method': [question(1), '/mpa.v1.ModelService/Drop'],
    'an unknown encoding': [frame(Buffer.alloc(3), { flag: 1 }), ANSWER, { 'grpc-encoding': 'snappy' }],
    'gzip that is none': [frame(Buffer.alloc(30), { flag: 1 }), ANSWER, { 'grpc-encoding': 'gzip' }],
    'another content type': [question(1), ANSWER, { 'content-type': 'text/plain' }],
    'a timeout that is none': [question(1), ANSWER, { 'grpc-timeout': 'soon' }],
    'a header of 100 kB': [question(1), ANSWER, { long: 'x'.repeat(100_000) }],
  };
  for (const [kind, [body, path = ANSWER, headers = {}]] of Object.entries(calls)) {
    const session = await connectTo(server.address);
    const stream = open(session, path, headers);
    stream.end(body);
    results[kind] = await Promise.race([ending(stream), pause(5000, 'nothing')]);
    session.destroy();
    const { OK = 0 } = await callAtOnce(server, 1, 10);
    if (OK !== 1) throw new Error(`the server does not answer any more after ${kind}`);
  }
  return results;
}

/** `closed` when the server hangs up, `nothing` when it waits. */
function sendBytes(address: string, bytes: Buffer): Promise<string> {
  const [host, port] = address.split(':');
  return new Promise((resolve) => {
    const socket = connectTcp(Number(port), host, () => socket.write(bytes));
    const end = (how: string) => (): void => {
      socket.destroy();
      resolve(how);
    };
    socket.on('error', end('closed')).on('close', end('closed')).resume();
    setTimeout(end('nothing'), 1000);
  });
}

async function done(sessions: readonly { destroy(): void }[], endings: readonly Promise<string>[]): Promise<Endings> {
  const all = await Promise.all(endings);
  sessions.forEach((session) => session.destroy());
  return counted(all);
}
