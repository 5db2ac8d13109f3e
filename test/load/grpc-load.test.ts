import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  askHealthHalf,
  callAtOnce,
  cancelCalls,
  readSlowly,
  sendHalf,
  sendMalformed,
  sendOversized,
  watchHealth,
} from './grpc-load.js';
import { ServerProcess } from './server-process.js';

const MIB = 2 ** 20;
const AT_ONCE = 8;
let server: ServerProcess;
let narrow: ServerProcess;

beforeAll(async () => {
  [server, narrow] = await Promise.all([
    ServerProcess.start({ atOnce: AT_ONCE, requestSeconds: 3 }),
    ServerProcess.start({ atOnce: 2, waiting: 10, streams: 3 }),
  ]);
});
afterAll(() => [server, narrow].forEach((each) => each.stop()));

describe('a server', () => {
  it('answers 1,000 calls at once, a few at a time, in bounded memory', async () => {
    const calls = 1000;
    const grown = await server.growth(async () => {
      expect(await callAtOnce(server, calls, MIB / 2)).toEqual({ OK: calls });
    });
    expect((await server.state()).most).toBeLessThanOrEqual(AT_ONCE);
    // 500 MiB come in, which make 1,000 where all are read at once. Here eight are, and the first 64 KiB of all others.
    expect(grown).toBeLessThan(400 * MIB);
  });

  it('refuses what is beyond, at once and clearly', async () => {
    const { OK = 0, RESOURCE_EXHAUSTED = 0 } = await callAtOnce(narrow, 500, 1000);
    expect(OK + RESOURCE_EXHAUSTED).toBe(500);
    expect(OK).toBeGreaterThanOrEqual(12);
    expect(RESOURCE_EXHAUSTED).toBeGreaterThan(0);
    expect(await readSlowly(narrow, 5, 500)).toMatchObject({ RESOURCE_EXHAUSTED: 2 });
  });

  it('does not run ahead of readers that do not read', async () => {
    const { made } = await server.state();
    const grown = await server.growth(() => readSlowly(server, 50, 2000));
    // Each stream makes what fits into a window of HTTP/2 and the buffers around it, and no more however long it waits.
    expect((await server.state()).made - made).toBeLessThan(50 * 40);
    expect(grown).toBeLessThan(300 * MIB);
  });

  it('refuses messages that are too large, also when they only become so', async () => {
    const refused = { RESOURCE_EXHAUSTED: 4 };
    expect(await sendOversized(server, 4)).toEqual({ 'said to be': refused, sent: refused, unpacked: refused });
  });

  it('is no worse off after calls that were cancelled', async () => {
    expect(await server.growth(() => cancelCalls(server, 1000, 100_000))).toBeLessThan(200 * MIB);
    await expect.poll(async () => (await server.state()).now).toBe(0);
    expect(await callAtOnce(server, 20, 1000)).toEqual({ OK: 20 });
  });

  it('gives up on requests that do not come, and answers others', async () => {
    const half = sendHalf(server, 2 * AT_ONCE);
    expect(await callAtOnce(server, 4, 1000)).toEqual({ OK: 4 });
    expect(await half).toEqual({ DEADLINE_EXCEEDED: 2 * AT_ONCE });
  });

  it('holds little for those who ask for its health, which anybody may', async () => {
    const { address, healthAddress } = server;
    const grown = await server.growth(async () => {
      const slow = [askHealthHalf(address, 12, 31 * MIB), askHealthHalf(healthAddress, 50, 100)];
      expect(await Promise.all(slow)).toEqual([{ DEADLINE_EXCEEDED: 12 }, { DEADLINE_EXCEEDED: 50 }]);
    });
    // Four at a time, of 31 MiB, and some that were given up and are not freed yet; all of them are 372 MiB.
    expect(grown).toBeLessThan(300 * MIB);
    expect(await askHealthHalf(healthAddress, 100, 31 * MIB)).toEqual({ RESOURCE_EXHAUSTED: 100 });
    expect(await watchHealth(address, 100)).toEqual({ told: 4, RESOURCE_EXHAUSTED: 96 });
    expect(await watchHealth(healthAddress, 100)).toEqual({ told: 64, RESOURCE_EXHAUSTED: 36 });
    expect(await callAtOnce(server, 4, 1000)).toEqual({ OK: 4 });
  });

  it('outlives what is no gRPC, and says what is wrong where it can', async () => {
    expect(await sendMalformed(server)).toEqual({
      noise: 'closed',
      http: 'closed',
      'half a preface': 'nothing',
      'noise behind the preface': 'closed',
      'a frame of 16 MiB': 'closed',
      'no protobuf': 'INTERNAL',
      'no message': 'UNIMPLEMENTED',
      'two messages': 'UNIMPLEMENTED',
      'half a message': 'UNIMPLEMENTED',
      'an unknown method': 'UNIMPLEMENTED',
      'an unknown encoding': 'UNIMPLEMENTED',
      'gzip that is none': 'INTERNAL',
      'another content type': 'HTTP 415',
      'a timeout that is none': 'INTERNAL',
      'a header of 100 kB': 'reset',
    });
  });
});
