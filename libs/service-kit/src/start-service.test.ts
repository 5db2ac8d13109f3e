import { once } from 'node:events';
import { connect } from 'node:http2';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { credentials, loadPackageDefinition } from '@grpc/grpc-js';
import type { ClientDuplexStream, GrpcObject, ServiceClientConstructor } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { createClient, ModelService } from '@mpa/contracts';
import { tellGeneratedTokens } from '@mpa/telemetry';
import { protoPath as healthProto } from 'grpc-health-check';
import { afterEach, describe, expect, it } from 'vitest';
import { echo } from './echo-service.fixture.js';
import { createLogger } from './logger.js';
import { startInProcess, startService } from './start-service.js';
import type { RunningService } from './start-service.js';

const logger = createLogger('test', 'silent');
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function started(config: Partial<Parameters<typeof startService<typeof echo.config>>[1]> = {}) {
  const running = await startService(echo, { greeting: 'hello', ...config }, { logger });
  closing.push(() => running.stop());
  return running;
}

function modelAt({ address }: RunningService) {
  const client = createClient(ModelService, address);
  closing.push(() => client.close());
  return client;
}

/** A client made from a .proto file alone, as other people's tools are. */
function foreignClient<C>(file: string, name: string, address: string): C {
  let found: GrpcObject | ServiceClientConstructor = loadPackageDefinition(loadSync(file, { enums: String }));
  for (const part of name.split('.')) found = found[part] as GrpcObject;
  const client = new (found as unknown as ServiceClientConstructor)(address, credentials.createInsecure());
  closing.push(() => client.close());
  return client as C;
}

interface HealthClient {
  check(request: { service: string }, callback: (error: Error | null, reply: { status: string }) => void): void;
}

interface ReflectionClient {
  ServerReflectionInfo(): ClientDuplexStream<object, ReflectionReply>;
}

interface ReflectionReply {
  listServicesResponse?: { service: { name: string }[] };
  fileDescriptorResponse?: object;
}

function healthOf(running: RunningService, service: string): Promise<string> {
  const client = foreignClient<HealthClient>(healthProto, 'grpc.health.v1.Health', running.address);
  return new Promise((resolve, reject) => {
    client.check({ service }, (error: Error | null, reply: { status: string }) =>
      error ? reject(error) : resolve(reply.status),
    );
  });
}

describe('startService', () => {
  it('is NOT_SERVING for good once it has failed, and says what it failed with', async () => {
    const running = await started();
    const model = modelAt(running);
    await expect(model.answer({ questions: ['break'] })).rejects.toMatchObject({ code: 'INTERNAL' });
    expect(await healthOf(running, '')).toBe('NOT_SERVING');
    expect(await healthOf(running, 'mpa.v1.ModelService')).toBe('NOT_SERVING');
  });

  it('serves calls and health by service name', async () => {
    const running = await startInProcess(echo, { greeting: 'hello' }, { logger });
    closing.push(() => running.stop());
    const { answers } = await modelAt(running).answer({ questions: ['you'] });
    expect(answers[0]?.text).toBe('hello you');
    expect(await healthOf(running, '')).toBe('SERVING');
    expect(await healthOf(running, 'mpa.v1.ModelService')).toBe('SERVING');
    await expect(healthOf(running, 'mpa.v1.NoService')).rejects.toMatchObject({ code: 5 });
  });

  it('describes its services to reflection clients', async () => {
    const { address } = await started();
    const folder = dirname(createRequire(import.meta.url).resolve('@grpc/reflection/package.json'));
    const proto = join(folder, 'build/proto/grpc/reflection/v1/reflection.proto');
    const client = foreignClient<ReflectionClient>(proto, 'grpc.reflection.v1.ServerReflection', address);
    const stream = client.ServerReflectionInfo();
    const replies: ReflectionReply[] = [];
    stream.write({ listServices: '*' });
    stream.write({ fileContainingSymbol: 'mpa.v1.AnswerRequest' });
    stream.end();
    for await (const reply of stream) replies.push(reply as ReflectionReply);
    const names = replies[0]?.listServicesResponse?.service.map(({ name }) => name);
    expect(names).toEqual(['mpa.v1.ModelService', 'mpa.v1.WorkerService']);
    expect(replies[1]?.fileDescriptorResponse).toHaveProperty('fileDescriptorProto.0.length');
  });

  it('finishes the call in work when it stops, and takes no other', async () => {
    const running = await started({ pauseMs: 300 });
    const client = modelAt(running);
    await client.score({});
    const call = client.answer({ questions: ['you'] });
    await new Promise((resolve) => setTimeout(resolve, 50));
    const stopped = running.stop();
    expect((await call).answers).toHaveLength(1);
    await stopped;
    await expect(client.answer({}, { timeoutMs: 500 })).rejects.toMatchObject({ retriable: true });
  });

  it('sends new calls of an old connection to a new one, and lets calls in work go on', async () => {
    const running = await started({ pauseMs: 3_000, maxConnectionAgeSeconds: 0.5 });
    const session = connect(`http://${running.address}`);
    closing.push(() => session.destroy());
    const wentAway = once(session, 'goaway');
    const client = modelAt(running);
    const long = client.answer({ questions: ['you'] });
    const [code] = (await wentAway) as [number];
    expect(code).toBe(0);
    await client.score({});
    expect((await long).answers[0]?.text).toBe('hello you');
  });

  it('cuts calls off after graceSeconds', async () => {
    const running = await started({ pauseMs: 600_000, graceSeconds: 0.2 });
    const call = modelAt(running).answer({ questions: ['you'] }, { timeoutMs: 600_000 });
    const failed = expect(call).rejects.toThrow(); // neither answered nor out of time within this test
    await new Promise((resolve) => setTimeout(resolve, 100));
    await running.stop();
    await failed;
  });

  it('names unknown and wrong keys', async () => {
    const raw = { greeting: 'hello', greetings: 1, nested: { size: 1, sise: 2 } };
    await expect(startService(echo, raw, { logger })).rejects.toThrow(
      /unknown key nested\.sise.*unknown key greetings/,
    );
    await expect(startService(echo, { greeting: 'x', listen: 'here' }, { logger })).rejects.toThrow(/listen: must be/);
  });

  it('shows its metrics at /metrics, and nothing else there', async () => {
    expect((await started()).metricsUrl).toBeUndefined();
    const running = await started({ metrics: { listen: '127.0.0.1:0' } });
    await modelAt(running).answer({ questions: ['you'] });
    const page = await fetch(running.metricsUrl!);
    expect(page.headers.get('content-type')).toContain('text/plain; version=0.0.4');
    const call = 'grpc_type="unary",grpc_service="mpa.v1.ModelService",grpc_method="Answer"';
    const text = await page.text();
    expect(text).toContain(`grpc_server_handled_total{${call},grpc_code="OK",stage="echo"} 1`);
    expect(text).toContain(`grpc_server_handled_total{${call},grpc_code="INTERNAL",stage="echo"} 0`);
    expect(text).toMatch(/grpc_server_handling_seconds_count\{[^}]*grpc_method="Answer"[^}]*\} 1/);
    expect(text).toMatch(/process_cpu_seconds_total\{stage="echo"\} /);
    for (const [url, method] of [
      [new URL('/', running.metricsUrl), 'GET'],
      [running.metricsUrl!, 'POST'],
    ] as const) {
      // prettier-ignore
      expect((await fetch(url, { method })).status).toBe(404);
    }
    const { host } = new URL(running.metricsUrl!);
    await expect(started({ metrics: { listen: host } })).rejects.toThrow(`cannot listen on ${host}`);
    await running.stop();
    await expect(fetch(running.metricsUrl!)).rejects.toThrow();
    // What does not start shows nothing either.
    const nowhere = { places: { read: ['/no/such/folder'] }, metrics: { listen: host } };
    await expect(started(nowhere)).rejects.toThrow('there is no folder /no/such/folder');
    await expect(fetch(running.metricsUrl!)).rejects.toThrow();
  });

  it('counts the models of its own calls, in a process that has others', async () => {
    const [one, two] = [await started({ metrics: { listen: '127.0.0.1:0' } }), await started({ metrics: { listen: '127.0.0.1:0' } })]; // prettier-ignore
    await modelAt(one).answer({ questions: ['you'] });
    tellGeneratedTokens(100);
    const tokens = async ({ metricsUrl }: RunningService) => /mpa_generated_tokens_total\S* (\d+)/.exec(await (await fetch(metricsUrl!)).text())?.[1]; // prettier-ignore
    expect(await tokens(one)).toBe('9');
    expect(await tokens(two)).toBe('0');
    const kinds = /mpa_model_seconds_total\{kind="(run|train)",provider="cpu",stage="echo"\} [0-9.e-]+/g;
    expect((await (await fetch(one.metricsUrl!)).text()).match(kinds)).toHaveLength(2);
    expect((await (await fetch(two.metricsUrl!)).text()).match(kinds)).toBeNull();
  });

  it('says which address is taken', async () => {
    const { address } = await started();
    await expect(startService(echo, { greeting: 'x', listen: address }, { logger })).rejects.toThrow(
      `cannot listen on ${address}`,
    );
  });
});
