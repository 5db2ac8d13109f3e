import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDirectory } from '../cache-directory.mjs';
import { oneAtATime } from '../one-at-a-time.mjs';
import { runCommand } from '../run-command.mjs';
import { SetupError } from '../setup-error.mjs';
import { step } from '../step.mjs';

/** The releases that the tests run on, by the line that they are the newest of. */
export const KAFKA_RELEASES = { 3.9: '3.9.2', 4: '4.4.0' };
const DOWNLOAD_MS = 10 * 60_000;
const LOOK_MS = 30_000;
/** The first Java that a broker of 4.x starts on. */
const OLDEST_JAVA = 17;

/**
 * The class path of an Apache Kafka broker: its official artifacts from Maven Central and what they depend on, resolved by
 * `mvn` into the cache at the first call.
 *
 * @param {string} wanted a release such as 4.1.2, or a key of KAFKA_RELEASES
 * @returns {Promise<{release: string, classPath: string}>}
 * @throws {SetupError} when Java or Maven is not here, or the release cannot be had
 */
export function kafkaRelease(wanted) {
  return resolved(wanted, 'kafka_2.13', '');
}

/** The same of Kafka's own tools, its measuring programs among them. */
export function kafkaTools(wanted) {
  return resolved(wanted, 'kafka-tools', '-tools');
}

async function resolved(wanted, artifact, suffix) {
  const release = KAFKA_RELEASES[wanted] ?? wanted;
  if (!/^\d+\.\d+\.\d+$/.test(release)) {
    throw new SetupError(
      `--version ${wanted} is no release of Kafka: give one such as ${Object.values(KAFKA_RELEASES)[0]}`,
    );
  }
  await requireJava();
  const folder = join(cacheDirectory(), 'kafka', `${release}${suffix}`);
  await oneAtATime(folder, async () => {
    if (!existsSync(folder))
      await step(`Apache Kafka ${release}${suffix}`, () => resolveInto(folder, release, artifact));
  });
  return { release, classPath: join(folder, '*') };
}

async function requireJava() {
  const told = await runCommand('java', ['--version'], { timeoutMs: LOOK_MS }).catch((cause) => {
    throw new SetupError(
      `Kafka needs Java ${OLDEST_JAVA} or later (Debian: openjdk-17-jre-headless): ${cause.message}`,
      {
        cause,
      },
    );
  });
  const version = Number(/(\d+)/.exec(told)?.[1]);
  if (version < OLDEST_JAVA) throw new SetupError(`Kafka needs Java ${OLDEST_JAVA} or later, and this is ${version}`);
}

/** Fills a folder beside, and renames it: one that is there is complete. */
async function resolveInto(folder, release, artifact) {
  await mkdir(join(folder, '..'), { recursive: true });
  const work = await mkdtemp(`${folder}.tmp-`);
  try {
    await writeFile(join(work, 'pom.xml'), pom(artifact, release));
    const output = join(work, 'lib');
    const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${output}`];
    await runCommand('mvn', ['-q', '-B', ...goal], { cwd: work, timeoutMs: DOWNLOAD_MS });
    await rename(output, folder);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

function pom(artifact, release) {
  const dependency = (group, artifact, version) =>
    `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`;
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>mpa</groupId>
  <artifactId>kafka</artifactId>
  <version>1</version>
  <dependencies>
    ${dependency('org.apache.kafka', artifact, release)}
    ${dependency('org.slf4j', 'slf4j-simple', '1.7.36')}
  </dependencies>
</project>
`;
}
