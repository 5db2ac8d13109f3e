import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { listSupportedBackends } from 'onnxruntime-node';
import { OnnxError } from './onnx-error.js';

const PACKAGE = dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));

/** ONNX Runtime's execution providers on this machine: those in its package, and those that set-up put beside them. */
export function installedProviders(): string[] {
  const files = readdirSync(join(PACKAGE, 'bin'), { recursive: true, encoding: 'utf8' });
  const libraries = files.filter((file) => dirname(file).endsWith(join(process.platform, process.arch)));
  return listSupportedBackends().flatMap(({ name, bundled }) =>
    bundled || libraries.some((file) => file.includes(`onnxruntime_providers_${name}.`)) ? [name] : [],
  );
}

/** Throws {@link OnnxError}, which says what to do, where `provider` is not installed. */
export function requireProvider(provider: string): void {
  const installed = installedProviders();
  if (installed.includes(provider)) return;
  const advice =
    provider === 'cuda' ? 'npm run setup -- --cuda fetches it, for a machine with an NVIDIA GPU' : 'take one of those';
  throw new OnnxError(
    `ONNX Runtime's execution provider ${provider} is not installed (those that are: ${installed.join(', ')}); ${advice}.`,
  );
}
