import { cpus, totalmem } from 'node:os';
import { installedProviders } from '@mpa/onnx';
import { diagnoseTensorflow } from '@mpa/tensorflow';
import type { Command } from 'commander';
import { env as onnxruntime } from 'onnxruntime-node';
import type { CommandContext } from '../command-context.js';
import { describeNeeds, modelNeeds } from '../model-needs.js';
import type { ModelNeeds } from '../model-needs.js';

/** What `mpa doctor --json` prints. */
export interface Diagnosis {
  readonly node: string;
  readonly platform: string;
  readonly threads: number;
  readonly memoryGigabytes: number;
  readonly cache: string;
  readonly training: {
    readonly backend: string;
    readonly version: string;
    readonly devices: readonly string[];
    readonly why: string;
  };
  readonly inference: { readonly version: string; readonly providers: readonly string[] };
  /** What would make it faster; empty when nothing would. */
  readonly advice: readonly string[];
  /** With `--model`. */
  readonly model?: ModelNeeds;
}

/** `mpa doctor`: which backends compute here, on which devices, and what to do for better ones. */
export function addDoctor(program: Command, context: CommandContext): void {
  program
    .command('doctor')
    .description('say which backends, versions and devices are used, and what to do for better ones')
    .option('--model <dir>', 'also say what this checkpoint needs, before it is loaded')
    .option('--json', 'print it as one JSON object')
    .action(async ({ model, json }: { model?: string; json?: boolean }) => {
      const needs = model === undefined ? undefined : await modelNeeds(model);
      const diagnosis = { ...(await diagnose(context.cacheDirectory)), ...(needs && { model: needs }) };
      if (json) return context.out(JSON.stringify(diagnosis));
      for (const line of describe(diagnosis)) context.out(line);
    });
}

async function diagnose(cache: string): Promise<Diagnosis> {
  const { backend, version, devices, why, advice: training } = await diagnoseTensorflow({ cacheDir: cache });
  const providers = installedProviders();
  const advice = [
    ...training,
    providers.includes('cuda')
      ? 'on an NVIDIA GPU: executionProviders ["cuda", "cpu"] of a `model` in the configuration (not yet run on hardware)'
      : 'on a machine with an NVIDIA GPU: npm run setup -- --cuda fetches its ONNX Runtime provider',
  ];
  return {
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    threads: cpus().length,
    memoryGigabytes: Math.round(totalmem() / 2 ** 30),
    cache,
    training: { backend: backend === 'native' ? 'tensorflow' : 'tfjs-wasm', version, devices, why },
    inference: { version: onnxruntime.versions.node ?? onnxruntime.versions.common, providers },
    advice,
  };
}

function describe({ training, inference, model, ...machine }: Diagnosis): string[] {
  return [
    `machine    ${machine.platform}, ${machine.threads} threads, ${machine.memoryGigabytes} GiB, Node ${machine.node}`,
    `cache      ${machine.cache}`,
    `training   ${training.backend} ${training.version} on ${training.devices.join(', ')}`,
    `           ${training.why}`,
    `inference  onnxruntime-node ${inference.version}, providers: ${inference.providers.join(', ')}`,
    ...(model ? describeNeeds(model) : []),
    ...machine.advice.map((line) => `advice     ${line}`),
  ];
}
