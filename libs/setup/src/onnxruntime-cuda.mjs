import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { runCommand } from './run-command.mjs';
import { step } from './step.mjs';

/**
 * Downloads the CUDA part of ONNX Runtime with the script that `onnxruntime-node` would otherwise run at every install:
 * only ever when asked, since it is large and hangs on networks that block its host.
 *
 * @param {string} root the repository
 * @throws {SetupError} when the download fails or takes more than 15 minutes
 */
export async function installOnnxruntimeCuda(root) {
  const fromOnnx = createRequire(join(root, 'libs', 'onnx', 'package.json'));
  const script = join(dirname(fromOnnx.resolve('onnxruntime-node/package.json')), 'script', 'install.js');
  await step('download the CUDA part of ONNX Runtime', () =>
    runCommand(process.execPath, [script, '--onnxruntime-node-install'], { timeoutMs: 15 * 60_000 }),
  );
}
