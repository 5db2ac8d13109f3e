// The thread behind SessionThread: plain JavaScript, so that it runs as it is beside the sources and beside the build.
import { parentPort, workerData } from 'node:worker_threads';
import { InferenceSession, Tensor } from 'onnxruntime-node';

/** @type {Map<string, InferenceSession>} */
const sessions = new Map();

/** First: 1 while ONNX Runtime computes. Second: 1 when the process is about to exit. @type {Int32Array} */
const state = workerData;

/** @param {import('./session-thread.js').Request} request */
async function answer(request) {
  switch (request.kind) {
    case 'open':
      sessions.set(request.name, await InferenceSession.create(request.path, request.options));
      return undefined;
    case 'run': {
      const feeds = Object.entries(request.feeds).map(([name, { type, data, dims }]) => [
        name,
        new Tensor(type, data, dims),
      ]);
      const session = sessions.get(request.name);
      if (session === undefined) throw new Error(`no session ${request.name} is open`);
      const outputs = await session.run(Object.fromEntries(feeds), request.outputs);
      return Object.fromEntries(Object.entries(outputs).map(([name, { data, dims }]) => [name, { data, dims }]));
    }
    case 'close':
      for (const session of sessions.values()) await session.release();
      sessions.clear();
      return undefined;
  }
}

// One after the other: two runs at once would share the cores.
let turn = Promise.resolve();
parentPort?.on('message', (/** @type {import('./session-thread.js').Request & { id: number }} */ request) => {
  turn = turn.then(async () => {
    if (Atomics.load(state, 1) === 1) return;
    Atomics.store(state, 0, 1);
    try {
      parentPort?.postMessage({ id: request.id, result: await answer(request) });
    } catch (error) {
      parentPort?.postMessage({ id: request.id, error: error instanceof Error ? error.message : String(error) });
    }
    Atomics.store(state, 0, 0);
    Atomics.notify(state, 0);
  });
});
