import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { defaultCacheDirectory } from '@mpa/tensorflow';
import { runProgram } from './run-program.js';

/** Where all that these tests fetch and build is kept. */
export const CACHE = join(defaultCacheDirectory(), 'kubernetes');

/** On a machine that is busy with something else; the API server is 2,000 packages. */
const BUILD_MS = 50 * 60_000;
const DOWNLOAD_MS = 10 * 60_000;

const ENVIRONMENT = { GOPATH: join(CACHE, 'go'), GOCACHE: join(CACHE, 'go-build'), CGO_ENABLED: '0' };

/** Programs by name, and their packages among those of `tools/go.mod`. The API server is told its version by its own build. */
const PACKAGES = {
  helm: 'helm.sh/helm/v3/cmd/helm',
  etcd: 'go.etcd.io/etcd/server/v3',
  'kube-apiserver': 'k8s.io/kubernetes/cmd/kube-apiserver',
} as const;

/**
 * Path of a program that is built from its Go module, once.
 * Throws an Error that says what could not be had: Go, a module, or time.
 */
export async function goProgram(name: keyof typeof PACKAGES): Promise<string> {
  const folder = join(CACHE, 'bin');
  const path = join(folder, name);
  if (existsSync(path)) return path;
  mkdirSync(folder, { recursive: true });
  console.log(`building ${name}: for at most ${BUILD_MS / 60_000} minutes`);
  const version = ['gitVersion=v1.34.4', 'gitMajor=1', 'gitMinor=34'];
  const flags = ['-s', ...version.map((each) => `-X k8s.io/component-base/version.${each}`)].join(' ');
  // The linker writes the file at the end, so one that is there is whole.
  await runProgram('go', ['build', '-p', '2', '-trimpath', `-ldflags=${flags}`, '-o', path, PACKAGES[name]], {
    timeoutMs: BUILD_MS,
    cwd: join(import.meta.dirname, 'tools'),
    env: ENVIRONMENT,
  });
  return path;
}

/** Folder of a Go module's files. Throws an Error when it cannot be had. */
export async function goModule(module: string): Promise<string> {
  const { stdout } = await runProgram('go', ['mod', 'download', '-json', module], {
    timeoutMs: DOWNLOAD_MS,
    cwd: CACHE,
    env: ENVIRONMENT,
  });
  return (JSON.parse(stdout) as { readonly Dir: string }).Dir;
}
