import { callAtOnce, cancelCalls, readSlowly, sendMalformed, sendOversized } from '../load/grpc-load.js';
import { ServerProcess } from '../load/server-process.js';

const MIB = 2 ** 20;

/** What is done to one server, one after the other, with as much as a service may meet. */
const LOADS: readonly (readonly [what: string, load: (server: ServerProcess) => Promise<object>])[] = [
  ['1,000 calls at once, 1 MiB each', (server) => callAtOnce(server, 1000, MIB)],
  ['200 calls at once, 16 MiB each', (server) => callAtOnce(server, 200, 16 * MIB)],
  ['5,000 calls at once, 100 kB each', (server) => callAtOnce(server, 5000, 100_000)],
  ['64 streams, not read for 30 s', (server) => readSlowly(server, 64, 30_000)],
  ['50 oversized messages of each kind', (server) => sendOversized(server, 50)],
  ['20,000 cancelled calls, 100 kB each', (server) => cancelCalls(server, 20_000, 100_000)],
  ['malformed frames and messages', (server) => sendMalformed(server)],
];

/** Loads a server with its default limits in every way, and prints how calls ended and by how much its memory grew. */
export async function printGrpcLoad(): Promise<void> {
  const server = await ServerProcess.start();
  try {
    for (const [what, load] of LOADS) {
      const began = performance.now();
      let endings: object = {};
      const grown = await server.growth(async () => (endings = await load(server)));
      const seconds = (performance.now() - began) / 1000;
      const memory = `${(grown / MIB).toFixed(0)} MiB more memory`;
      console.log(`gRPC: ${what}: ${seconds.toFixed(1)} s, ${memory}, ${JSON.stringify(endings)}`);
    }
    if ((await server.state()).now > 0) throw new Error('calls are still in work');
  } finally {
    server.stop();
  }
}
