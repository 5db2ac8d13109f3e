import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nodeImage } from './base-image.js';
import { cudaImage, onnxruntimeCuda } from './cuda-image.js';
import { ImageBuild } from './image-build.js';

const ROOT = join(import.meta.dirname, '../..');
const DOCKERFILE = readFileSync(join(ROOT, 'deploy/docker/Dockerfile'), 'utf8');
const LIBRARIES = '/opt/mpa/node_modules/onnxruntime-node/bin/napi-v6/linux/x64';
const [, CUDA_IMAGE, CUDA] = /^ARG CUDA_IMAGE=(nvidia\/cuda:([\d.]+)-cudnn-runtime-\S+)$/m.exec(DOCKERFILE)!;
const BUILD_MS = 60 * 60_000;

let work: string;
let provider: string;

beforeAll(async () => {
  work = mkdtempSync(join(tmpdir(), 'mpa-cuda-'));
  const onnxruntime = createRequire(join(ROOT, 'libs/onnx/package.json'))('onnxruntime-node/package.json') as object;
  provider = await onnxruntimeCuda((onnxruntime as { version: string }).version, LIBRARIES);
});

afterAll(() => {
  if (work) rmSync(work, { recursive: true, force: true });
});

/** Builds `base-cuda` on a root file system in the place of NVIDIA's image. */
async function baseOn(image: string, name: string): Promise<unknown> {
  mkdirSync(join(work, name));
  const build = new ImageBuild(DOCKERFILE, {
    context: ROOT,
    ignore: '',
    buildArgs: {},
    images: { [CUDA_IMAGE!]: image, build: await nodeImage(), 'onnxruntime-cuda': provider },
    work: join(work, name),
    caches: {},
    networkEnv: {},
  });
  return build.stage('base-cuda');
}

describe("the services' CUDA images", () => {
  it(
    'stand on the CUDA that this ONNX Runtime is built for',
    async () => {
      await expect(baseOn(await cudaImage(CUDA!), 'right')).resolves.toMatchObject({ workdir: LIBRARIES });
    },
    BUILD_MS,
  );

  it(
    'are not built on one without its libraries, which the build names',
    async () => {
      await expect(baseOn(await nodeImage(), 'wrong')).rejects.toThrow(
        /needs of CUDA 13 what is not in this image: libcublasLt\.so\.13 .*libcudnn\.so\.9 libnvrtc\.so\.13/,
      );
    },
    BUILD_MS,
  );
});
